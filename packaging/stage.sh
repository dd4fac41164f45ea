#!/usr/bin/env bash
# Gathers what the package holds beside the window, in packaging/build: the command line, the
# verifier, their manual pages and completions. `stage.sh FOLDER`: where the binaries lie.
set -euo pipefail
cd "$(dirname "$0")"
from=$1
rm -rf build
mkdir -p build/bin build/man1 build/completions
install -m 755 "$from/intact" "$from/intact-verify" build/bin/
build/bin/intact man --out build/man1
gzip -9n build/man1/*.1
for shell in bash zsh fish; do
  build/bin/intact completions "$shell" > "build/completions/$shell"
done

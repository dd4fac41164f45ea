#!/usr/bin/env bash
# The window on a practice election night. Without a display it says so and tells the story in the
# terminal instead. INTACT_VAULT points it at a vault of your own.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  echo "There is no display: telling the story in the terminal instead (make demo)."
  exec make --no-print-directory demo
fi
make --no-print-directory window
target=${CARGO_TARGET_DIR:-$PWD/target}
if [ -n "${INTACT_VAULT:-}" ]; then
  exec "$target/release/intact-window" --vault "$INTACT_VAULT"
fi
practice=${XDG_DATA_HOME:-$HOME/.local/share}/intact-practice
if [ ! -e "$practice/emb/vault.key" ]; then
  rm -rf "$practice"
  mkdir -p "$practice"
  # A drill's passphrase protects nothing: its vaults hold invented reports only.
  echo "practice makes the night shorter" > "$practice/passphrase"
  "$target/release/intact" --passphrase-file "$practice/passphrase" practice --out "$practice"
fi
exec "$target/release/intact-window" --vault "$practice/emb" --passphrase-file "$practice/passphrase"

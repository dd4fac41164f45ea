#!/usr/bin/env bash
# The long runs: ten rounds with a seed each. A round that passed is not run again, so that an
# interrupted run goes on where it was; FRESH=1 starts anew.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-nextest >/dev/null || cargo install --locked --quiet cargo-nextest@0.9.143
target=${CARGO_TARGET_DIR:-$PWD/target}
passed=$target/torture-$(git rev-parse --short HEAD 2>/dev/null || echo here)
[ -z "${FRESH:-}" ] || rm -rf "$passed"
mkdir -p "$passed"
cargo build --release --locked --workspace --features tauri/custom-protocol
for seed in 101 102 103 104 105 106 107 108 109 110; do
  if [ -e "$passed/$seed" ]; then
    echo "round $seed passed before"
    continue
  fi
  INTACT_SEED=$seed INTACT_KILLS=20 INTACT_CASES=2000 \
    cargo nextest run --release --locked --workspace --features tauri/custom-protocol --lib --bins --tests \
    --profile torture \
    -E 'binary(kills) | binary(properties) | binary(fold) | binary(sim)'
  touch "$passed/$seed"
done

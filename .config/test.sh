#!/usr/bin/env bash
# Everything: types, lints of the pages, builds, every test, the real window under Xvfb, and the
# black-box story against the release binaries. One profile, so that nothing is built twice.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }

if [ ! -d "$INTACT_SHARED" ]; then
  echo "The shared test material is not at $INTACT_SHARED: set INTACT_SHARED." >&2
  exit 1
fi
command -v cargo-nextest >/dev/null || cargo install --locked --quiet cargo-nextest@0.9.143
target=${CARGO_TARGET_DIR:-$PWD/target}

step "format"
cargo fmt --all --check

step "pages: types, tests, build"
(cd ui && npm ci --no-audit --no-fund --silent && npm run --silent check && npm test --silent && npm run --silent build)

step "build, release"
cargo build --release --locked --workspace --features tauri/custom-protocol

step "schemas have not drifted"
"$target/release/intact" schemas --out schemas --check

step "tests, and the real window under Xvfb"
xvfb-run -a -s "-screen 0 1440x900x24" dbus-run-session -- \
  env TAURI_AUTOMATION=true TAURI_WEBVIEW_AUTOMATION=true WEBKIT_DISABLE_DMABUF_RENDERER=1 LIBGL_ALWAYS_SOFTWARE=1 \
  cargo nextest run --release --locked --workspace --features tauri/custom-protocol --lib --bins --tests --profile ci

step "the second verifier judges alike"
python3 tests/second/compare.py --bin "$target/release/intact" --verify "$target/release/intact-verify"

step "the story, black-box"
python3 "$INTACT_SHARED/acceptance/first_light.py" --bin "$target/release/intact" --verify "$target/release/intact-verify"

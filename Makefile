# Everything a person does here. Each target installs what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

INTACT_SHARED ?= $(abspath ../shared)
export INTACT_SHARED
CARGO_TARGET_DIR ?= $(CURDIR)/target
BIN := $(CARGO_TARGET_DIR)/release
ACCEPTANCE := $(INTACT_SHARED)/acceptance/first_light.py

.PHONY: help run demo test check gates bench torture build window package package-try deps deps-test ui schemas deny acceptance clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

deps: ## packages that building needs
	@bash .config/install.sh build

deps-test: ## and those that testing needs
	@bash .config/install.sh test

ui/node_modules: ui/package.json ui/package-lock.json
	cd ui && npm ci --no-audit --no-fund
	@touch $@

# Built anew only when something changed: what the window holds of them is compiled into it.
PAGES := $(shell find ui/src ui/public schemas/desk schemas/vocab -type f 2>/dev/null) $(wildcard ui/*.html ui/*.ts ui/*.js ui/package-lock.json)
ui/dist/index.html: $(PAGES) | ui/node_modules
	cd ui && npm run build

ui: ui/dist/index.html ## the window's pages

build: deps ## the command line and the verifier alone, release
	cargo build --release --locked -p intact -p intact-verify

# All at once, as the tests build it: with parts of it, shared crates would be built twice.
window: deps ui ## everything, the window too, release
	cargo build --release --locked --workspace --features tauri/custom-protocol

package: window ## a .deb of what the tests test: window, command line, verifier, relay unit, manual pages, completions
	bash packaging/stage.sh $(BIN)
	cd src-tauri && npx --yes @tauri-apps/cli@2.12.5 bundle --bundles deb
	@ls $(BIN)/bundle/deb/*.deb

package-try: package ## installs the .deb in a clean Debian and opens a parcel there by double-click; needs root
	@bash .config/install.sh package
	@bash packaging/try.sh $(BIN)/bundle/deb/*.deb $(BIN)/package-try

run: ## opens the window on a practice election night; without a display, the same story in the terminal
	@bash .config/run.sh

demo: build ## the story in the terminal
	$(BIN)/intact demo

schemas: window ## writes schemas/ anew from the Rust types; a test of the pages says where theirs differ
	$(BIN)/intact schemas --out schemas

check: deps ## the quick one: format, lints, licences, drift
	cargo fmt --all --check
	@$(MAKE) --no-print-directory deny
	cargo clippy --release --locked --workspace --all-targets --features tauri/custom-protocol -- -D warnings
	cd ui && npm run check

deny: ## licences and sources of what is built in
	@command -v cargo-deny >/dev/null || cargo install --locked --quiet cargo-deny@0.20.2
	cargo deny --locked --config .config/deny.toml check licenses bans sources

test: deps deps-test ## everything, the real window included
	@bash .config/test.sh

gates: ui/node_modules ## the pages in a browser: accessibility in every theme and direction, keyboard, large and hostile text
	@bash .config/install.sh gates
	cd ui && npm run --silent gates

acceptance: window ## the black-box story against the release binaries
	python3 $(ACCEPTANCE) --bin $(BIN)/intact --verify $(BIN)/intact-verify

bench: window ## the table of docs/performance.md, measured here
	$(BIN)/bench

torture: deps deps-test ## the long ones: 200 kills of each kind and many more cases; goes on where it was interrupted
	@bash .config/torture.sh

clean: ## what was built
	cargo clean
	rm -rf ui/node_modules ui/dist

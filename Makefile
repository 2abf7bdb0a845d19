# The README's two commands are `make demo` and `make test`; the rest is for those who change tocsin.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
.DEFAULT_GOAL := help

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "tocsin needs Python 3.11 or later; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 demo"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.core: pyproject.toml | $(BIN)/python
	@echo "Installing tocsin into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(STAMP): pyproject.toml | $(BIN)/python
	@echo "Installing tocsin and what its tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,dev,bench]'
	@touch $@ $(VENV)/.core

demo: $(VENV)/.core  ## read the bundled data, write tocsin-out/, print what changed
	@ls src/tocsin/kernels/__pycache__/*.nbi >/dev/null 2>&1 || echo "The first run compiles its kernels, once: about a minute ..."
	@$(BIN)/tocsin brief --demo --out tocsin-out

# Tests start many processes of tocsin. Where compiled modules may not be kept, each would compile them anew; and on a new machine every hub would begin
# to compile what reading needs, and be stopped before it was done.
test: $(STAMP) browser java  ## every test, the browser's included
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c "import pathlib, tempfile; from tocsin.hub.compiling import compile_kernels, compiled; \
	place = tempfile.TemporaryDirectory(); compiled() or compile_kernels(pathlib.Path(place.name))" </dev/null >/dev/null 2>&1 &
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

browser:  ## find a Chromium or Chrome, or install Debian's as root
	@sh tools/find-browser.sh

java:  ## find a Java runtime, or install Debian's as root
	@sh tools/find-java.sh

check: $(STAMP)  ## lint, format, strict types: under a minute
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP)  ## let the tree format itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(STAMP)  ## write docs/reference from the docstrings and the contracts
	@$(BIN)/python tools/make_reference.py

shots: $(STAMP) browser  ## draw the pictures in docs/images from the demo's page
	@$(BIN)/python tools/make_screenshots.py

vendor: $(STAMP)  ## fetch and bundle the page's pinned npm packages anew (needs node and npm; for maintainers)
	@$(BIN)/python tools/vendor.py

wheel: $(STAMP)  ## build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:  ## remove what was built
	@rm -rf $(VENV) tocsin-out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: help demo test browser java check format docs shots vendor wheel clean

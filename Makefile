PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CHECKOV := build/checkov-venv

.PHONY: demo test lint bench checkov install clean

install: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

# From nothing to a governed organization, in the sandbox.
demo: install
	$(BIN)/orgctl demo

test: install
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest --numprocesses auto

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Checkov pins old versions of what orgctl stands on, so that it has an environment of its own.
checkov: $(CHECKOV)/.installed

$(CHECKOV)/.installed: tests/checkov-requirements.txt
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# Prints a table and writes build/bench.json.
bench: install
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis

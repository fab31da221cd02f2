# Reftel: `make run` opens the reading room, `make test` runs everything that CI runs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TELEGRAMS ?= examples
PORT ?= 8000
ARCHIVE ?= $(if $(filter examples,$(TELEGRAMS)),.archive/examples,.archive/own)
SOURCES := src tests benchmarks scripts

.PHONY: help setup run test check format docs clean

help: ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: $(VENV)/.installed ## make .venv with the reftel command

$(VENV)/.installed: pyproject.toml
	@bash scripts/venv.sh $(PYTHON) $(VENV)
	@$(BIN)/pip install --quiet --editable '.[all]'
	@touch $@

$(VENV)/.tested: pyproject.toml $(VENV)/.installed
	@$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/pip install --quiet --group dev
	@touch $@

run: setup ## file TELEGRAMS (default: examples/) into a fresh archive and open the reading room
	@test -e '$(TELEGRAMS)' || { echo "there is no $(TELEGRAMS); name a folder: make run TELEGRAMS=folder" >&2; exit 2; }
	@rm -rf '$(ARCHIVE)'
	@$(BIN)/reftel add --archive '$(ARCHIVE)' '$(TELEGRAMS)'
	@$(BIN)/reftel serve --archive '$(ARCHIVE)' --port $(PORT)

test: $(VENV)/.tested ## everything that CI runs
	@bash scripts/browser.sh
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest

check: $(VENV)/.tested
	$(BIN)/ruff format --check $(wildcard $(SOURCES))
	$(BIN)/ruff check $(wildcard $(SOURCES))
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.tested ## put the code in form
	$(BIN)/ruff format $(wildcard $(SOURCES))
	$(BIN)/ruff check --fix $(wildcard $(SOURCES))

docs: setup ## make the pages that are made from the source
	$(BIN)/python scripts/docs.py

clean: ## remove what was made here
	rm -rf $(VENV) .archive test-output .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

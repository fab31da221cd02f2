# Reftel: `make run` opens the reading room, `make test` runs everything that CI runs.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILED := .compiled
TELEGRAMS ?= examples
PORT ?= 8000
ARCHIVE ?= $(if $(filter examples,$(TELEGRAMS)),.archive/examples,.archive/own)
# examples/centre holds configurations, which are no telegrams.
FILED = $(if $(filter examples,$(TELEGRAMS)),examples/[12]*,'$(TELEGRAMS)')
SOURCES := src tests benchmarks scripts fuzz

.PHONY: help setup run test check format docs compare centre-demo fuzz compiled bench clean

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

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
	@$(BIN)/reftel add --archive '$(ARCHIVE)' $(FILED)
	@$(BIN)/reftel serve --archive '$(ARCHIVE)' --port $(PORT)

test: $(VENV)/.tested ## everything that CI runs
	@bash scripts/browser.sh
	@bash scripts/mailserver.sh
	@bash scripts/database.sh
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

compare: $(VENV)/.tested ## show what the reader reads otherwise than at revision BASE, over TELEGRAMS
	@test -n '$(BASE)' || { echo "name a revision: make compare BASE=HEAD~1" >&2; exit 2; }
	@$(BIN)/python scripts/compare.py '$(BASE)' $(TELEGRAMS)

centre-demo: setup ## run three message centres, cut a line between them and mend it (SHORT=1: quickly)
	@bash scripts/mailserver.sh
	@$(BIN)/python scripts/centre_demo.py $(if $(SHORT),--short)

fuzz: $(VENV)/.tested ## fuzz the reader, guided by coverage, for SECONDS (default 60)
	@$(BIN)/pip install --quiet atheris
	@$(BIN)/python fuzz/reader.py -max_total_time=$(or $(SECONDS),60) -timeout=10 fuzz/corpus

compiled: $(VENV)/.tested ## make .compiled with the reader compiled, check that it reads as the plain one, time it
	@bash scripts/compiled.sh $(PYTHON) $(COMPILED)
	@REFTEL_COMPILED=$(abspath $(COMPILED))/bin/python $(BIN)/pytest -q tests/read/test_compiled.py
	@$(COMPILED)/bin/python benchmarks/read.py $(if $(shell command -v valgrind),--instructions)

bench: setup ## run the benchmarks
	@for program in benchmarks/*.py; do echo "== $$program"; $(BIN)/python $$program || exit 1; done

clean: ## remove what was made here
	rm -rf $(VENV) $(COMPILED) .archive test-output .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

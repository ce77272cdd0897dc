# The commands. `make` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PEERS := .venv-bench
PEERS_READY := $(PEERS)/ready
PACKAGES := models ledger providers lifecycle jobs schedules workers dashboard sandbox migrations bench docs tests
CODE := settings.py nexara.py $(wildcard $(PACKAGES))
TYPED := $(filter-out tests,$(CODE))
POSTGRES_15 := /usr/lib/postgresql/15/bin
# What asks a database: these folders pass on the oldest PostgreSQL, too.
ON_DATABASE := $(wildcard $(addprefix tests/,models migrations ledger lifecycle jobs schedules workers dashboard))
ARGS ?=

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: demo
demo: setup ## Two businesses, real calls, everything on this machine; ONCE=1 ends by itself
	@$(BIN)/python -m nexara demo $(if $(ONCE),--once)

.PHONY: test
test: setup chromium ## All tests; ARGS="-k name" for some
	@$(BIN)/pytest -n 2 $(ARGS)

# Found, or installed where that is possible; the tests that need it say so where it is not.
.PHONY: chromium
chromium:
	@.ci/chromium >/dev/null || true

.PHONY: setup
setup: $(READY) ## Install what is locked into .venv, once

$(READY): requirements-dev.lock pyproject.toml
	@python=$$(.ci/python) && "$$python" -m venv $(VENV)
	@echo "Installing into $(VENV); the first time takes a minute or two."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

.PHONY: up
up: setup ## The sandbox without its conversations: servers, vendors and the engine, until Ctrl-C
	@$(BIN)/python -m nexara up

.PHONY: check
check: lint types imports docs-check test ## All that must hold before a commit

.PHONY: lint
lint: setup ## ruff
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

.PHONY: fix
fix: setup ## ruff, mending what it can
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

.PHONY: types
types: setup ## mypy, strict
	@$(BIN)/mypy $(TYPED)

.PHONY: imports
imports: setup ## import-linter: who may import whom
	@$(BIN)/lint-imports --no-logo

.PHONY: docs
docs: setup ## Write the generated tables and the data map anew
	@$(BIN)/python -m docs.generate

.PHONY: docs-check
docs-check: setup ## Fail if they are not current
	@$(BIN)/python -m docs.generate --check

.PHONY: test-15
test-15: setup ## What asks a database, on Debian's PostgreSQL 15
	@NEXARA_TEST_PG_BIN=$(POSTGRES_15) $(BIN)/pytest -n 2 $(ON_DATABASE) $(ARGS)

.PHONY: bench
bench: setup $(PEERS_READY) ## How fast the engine is here, beside its peers; ARGS="--quick --only drain" for some
	@$(BIN)/python -m bench $(ARGS)

$(PEERS_READY): bench/requirements-peers.txt
	@python=$$(.ci/python) && "$$python" -m venv $(PEERS)
	@echo "Installing what the engine is compared with into $(PEERS)."
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	  -r bench/requirements-peers.txt
	@touch $(PEERS_READY)

.PHONY: bench-pages
bench-pages: setup ## How fast each page answers with a million jobs
	@$(BIN)/python -m bench.pages $(ARGS)

.PHONY: bench-ending
bench-ending: setup ## How fast data ends, beside bare statements, and what the web tier feels of it
	@$(BIN)/python -m bench.ending $(ARGS)

.PHONY: screenshots
screenshots: setup chromium ## What Chromium shows of a made-up ledger, into docs/screenshots
	@$(BIN)/python -m docs.screenshots $(ARGS)

.PHONY: chaos
chaos: setup ## Kill real processes at named moments, for minutes; long rounds of random events
	@$(BIN)/pytest -m "chaos or not chaos" tests/chaos tests/ledger/test_invariants.py $(ARGS)

.PHONY: lock
lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --output-file requirements.lock
	uv pip compile pyproject.toml --extra sandbox --extra speech --extra dev --constraint requirements.lock \
	  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --output-file requirements-dev.lock

.PHONY: clean
clean: ## Remove .venv, caches and the sandbox's data
	rm -rf $(VENV) $(PEERS) .nexara .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

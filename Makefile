# Insideout. `make` alone lists what can be made.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# tests wait for brokers more than they compute; each process has a broker and a database of its own
TEST_PROCESSES ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install run test test-clients test-fuzz test-faults openapi lint fmt bench lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

define need_python
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "insideout: $(PYTHON) 3.11 or newer is needed (found: $$($(PYTHON) --version 2>&1)); set PYTHON=…" >&2; exit 1; }
endef

define pip_install
	@$(BIN)/python -m pip install --quiet --require-hashes $(addprefix -r ,$(1)) \
	  || { echo "insideout: the packages of $(1) could not be installed (see above); is a package index reachable?" >&2; exit 1; }
endef

$(BIN)/.base: requirements/base.txt pyproject.toml
	$(need_python)
	@test -x $(BIN)/python || { echo "creating $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing the product (about 110 MB the first time)"
	$(call pip_install,requirements/base.txt)
	@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	@touch $@

$(BIN)/.dev: $(BIN)/.base requirements/dev.txt
	@echo "[+] installing the tests' tools"
	$(call pip_install,requirements/base.txt requirements/dev.txt)
	@touch $@

install: $(BIN)/.base ## build .venv from the hash-locked requirements

run: $(BIN)/.base ## the whole product on a real Kafka; prints its URL
	@exec $(BIN)/python manage.py run

test: $(BIN)/.dev ## every test, real Kafka, PostgreSQL and browser included
	@exec $(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile

test-clients: $(BIN)/.dev ## other projects' clients: JavaScript, Go, Rust (those whose tools are here)
	@exec $(BIN)/python -m pytest -m clients -rs tests/clients

# these look for what nobody has thought of yet: new examples each time
test-fuzz test-faults: export HYPOTHESIS_PROFILE := searching

test-fuzz: $(BIN)/.dev ## fuzz the API from its description; attack a served registry
	@exec $(BIN)/python -m pytest -m fuzz -n 0 tests/fuzz tests/registry/test_attacks.py tests/registry/test_attacks_on_the_wire.py

test-faults: $(BIN)/.dev ## kill servers, databases and brokers under load, at length
	@exec $(BIN)/python -m pytest -m "faults or not faults" -n 0 tests/registry/faults
	@exec $(BIN)/python -m pytest -m faults -n 0 tests/lineage

openapi: $(BIN)/.base ## renew docs/openapi.json
	@$(BIN)/python manage.py spectacular --format openapi-json --validate --file docs/openapi.json

bench: $(BIN)/.dev ## measure registry, copies (Debezium beside ours), lineage; copy real data
	@$(BIN)/python -m bench.registry
	@$(BIN)/python -m bench.connectors
	@$(BIN)/python -m bench.audit
	@$(BIN)/python -m bench.nycflights
	@$(BIN)/python -m bench.sinks
	@$(BIN)/python -m bench.debezium
	@$(BIN)/python -m bench.lineage

lint: $(BIN)/.dev ## ruff, mypy, import-linter, templates, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --check --lint templates
	$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING

fmt: $(BIN)/.dev ## format the code and the templates
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	-$(BIN)/djade $$(git ls-files 'templates/*.html')

lock: $(BIN)/.dev ## renew the hash-locked requirements
	for set in base extras dev; do $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements/$$set.txt requirements/$$set.in; done

# Headwater. Needs nothing but make and Python 3.11, 3.12 or 3.13; everything else goes into .venv and .headwater.
# Variables, all optional: PORT ORG_PORT DEST_PORT MAIL_PORT WAREHOUSE_PORT CONTACTS SEED USERS HEADWATER_HOME
# HEADWATER_DEFINITIONS; what `make up` was told is remembered for the other targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
VENV := $(ROOT)/.venv
PYTHON := $(VENV)/bin/python
RUN := cd $(ROOT) && PYTHONPATH=$(ROOT) $(PYTHON)
CHECK := cd $(ROOT) && PYTHONPATH=$(ROOT):$(ROOT)/plugins
# One worker more than there are processors, four at most: tests wait for servers a good part of their time.
WORKERS := -n $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n < 4 ? n + 1 : 4))) --dist loadfile --no-loadscope-reorder
# A stamp holds the hash of what was installed: the same requirements are never installed twice, not even offline.
RUNTIME := $(VENV)/.headwater-runtime
DEVELOPMENT := $(VENV)/.headwater-development

.PHONY: help up down status reset org peers parity faults push-faults deliveries duplicates airflow sql check-definitions check-connection forget test check format bench lock install install-dev

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(ROOT)/Makefile | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

up: install ## install, start everything, wait for the first extract, assessment and push
	@$(RUN) -m include.local up

down: ## stop everything that up started, and nothing else
	@if [ -x $(PYTHON) ]; then $(RUN) -m include.local down; else echo "nothing was ever started"; fi

status: install ## show services, objects here and in the org, grade, deliveries, URL (JSON=1: as one JSON object)
	@$(RUN) -m include.local status

reset: install ## delete everything that is kept, after asking (YES=1 answers)
	@$(RUN) -m include.local reset

org: install ## run the sandbox org alone (PORT=8090 TLS_PORT= PROXY_PORT= CONTACTS=20000 SEED=1)
	@$(RUN) -m include.local org

peers: install ## let other Salesforce clients read and write a sandbox org, and compare (PEERS=jsforce CONTACTS=3000)
	@$(RUN) -m tools.peers $(if $(PEERS),--peers "$(PEERS)") $(if $(CONTACTS),--contacts $(CONTACTS))

parity: install ## compare the warehouse with what other clients read while people work in the org (CONTACTS=3000 ROUNDS=2)
	@$(RUN) -m tools.parity $(if $(CONTACTS),--contacts $(CONTACTS)) $(if $(ROUNDS),--rounds $(ROUNDS))

faults: install-dev ## kill and disturb the extract of a sandbox org, then compare every value (FAULTS=500 KILLS=100 SEED=1)
	@$(CHECK) $(PYTHON) -m tools.faults $(if $(FAULTS),--faults $(FAULTS)) $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

push-faults: install-dev ## kill deliveries at every step, then count events at platforms of each kind (KILLS=200 SEED=1 POSTGRES=postgresql://…)
	@$(CHECK) $(PYTHON) -m tests.faults.push $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) $(if $(POSTGRES),--postgres "$(POSTGRES)")

deliveries: install-dev ## push to every platform while it fails, then compare record by record (RECORDS=100000 PLATFORMS="klaviyo braze")
	@$(CHECK) $(PYTHON) -m tools.deliveries $(if $(RECORDS),--records $(RECORDS)) $(if $(PLATFORMS),--platforms $(PLATFORMS))

duplicates: install-dev ## find duplicates among generated people whose truth is known (CONTACTS=1000000 SEED=1 PROBABLE=0.9 JSON=1)
	@$(CHECK) $(PYTHON) -m tools.duplicates $(if $(CONTACTS),--contacts $(CONTACTS)) $(if $(SEED),--seed $(SEED)) $(if $(POSTGRES),--postgres "$(POSTGRES)") $(if $(PROBABLE),--probable $(PROBABLE)) $(if $(filter 1,$(JSON)),--json)

airflow: install ## run Airflow's own command line (ARGS="backfill create --dag-id demo_extract …")
	@$(RUN) -m include.local airflow $(ARGS)

sql: install ## open the warehouse with psql (ARGS="-c 'select …'")
	@$(RUN) -m include.local sql $(ARGS)

check-definitions: install ## check the definitions, and their objects and fields with the sandbox org if it runs
	@$(RUN) -m include.local check-definitions

check-connection: install ## check what a connection can do, and why it does not (ORG=demo or CONNECTION=klaviyo_demo)
	@$(RUN) -m include.local check-connection

forget: install ## list what is kept of an org or object, and drop it once confirmed (ORG=demo OBJECT=Lead YES=1)
	@$(RUN) -m include.local forget

test: install-dev ## run all tests, slow ones included
	@$(CHECK) $(PYTHON) -m pytest $(WORKERS) $(if $(TESTS),$(TESTS),tests) $(PYTEST)

check: install-dev ## format, lint, types, import rules and the fast tests
	@$(CHECK) $(VENV)/bin/ruff format --check .
	@$(CHECK) $(VENV)/bin/ruff check .
	@$(CHECK) $(VENV)/bin/mypy
	@$(CHECK) $(VENV)/bin/lint-imports
	@$(CHECK) $(PYTHON) -m pytest -q $(WORKERS) -m "not slow" $(PYTEST)

format: install-dev ## format the code and mend what the linter can mend
	@$(CHECK) $(VENV)/bin/ruff check --fix . || true
	@$(CHECK) $(VENV)/bin/ruff format .

bench: install-dev ## measure against the machine's limits and other clients (ONLY=extract ROWS=1000000 PEERS=dlt PEER_ROWS= JSON=1)
	@$(CHECK) $(PYTHON) -m tools.bench $(if $(ONLY),--only "$(ONLY)") $(if $(ROWS),--rows $(ROWS)) $(if $(PEERS),--peers="$(PEERS)") $(if $(PEER_ROWS),--peer-rows $(PEER_ROWS)) $(if $(REPEATS),--repeats $(REPEATS)) $(if $(filter 1,$(JSON)),--json)

lock: ## resolve requirements*.in again into the pinned, hashed files
	@$(ROOT)/tools/lock

install: $(RUNTIME)

install-dev: $(DEVELOPMENT)

$(RUNTIME): $(ROOT)/requirements.txt
	@$(ROOT)/tools/install requirements.txt $@

$(DEVELOPMENT): $(ROOT)/requirements-dev.txt $(RUNTIME)
	@$(ROOT)/tools/install requirements-dev.txt $@

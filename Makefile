# Huida's commands. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(VENV)/bin/pytest
# For what takes as long as it is asked to.
LONG := $(PYTEST) -q --timeout=0
JOBS ?= 2
# What Python compiled is kept, also where an image forbids it: compiling all of it anew takes ten seconds at every start.
unexport PYTHONDONTWRITEBYTECODE
TEMPLATES := disbursement portal
PORT ?= 8000
RUNTIME := $(VENV)/.installed-runtime
DEVELOPMENT := $(VENV)/.installed-development

.PHONY: help setup setup-dev demo story serve services services-stop cluster test test-fast test-cluster fuzz-returns tamper faults every-address machine soak lint format migrations schemas bench bench-elastic bench-search lock messages clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(RUNTIME): requirements.txt
	@bin/setup runtime
	@touch $@

$(DEVELOPMENT): requirements.txt requirements-dev.txt
	@bin/setup development
	@touch $(RUNTIME) $@

setup: $(RUNTIME) ## Python packages in .venv, system libraries through apt where it may
setup-dev: $(DEVELOPMENT) ## The same, with the development tools

demo: setup ## Build a demo district on SQLite, tell its story, serve it (PORT=8000)
	@$(PY) manage.py demo --serve --port $(PORT)

story: setup ## The story of the demo district, without serving it
	@$(PY) manage.py demo

serve: setup ## Serve the demo district as it was left
	@$(PY) manage.py demo --serve-only --port $(PORT)

services: ## Start PostgreSQL, Redis and Elasticsearch, installing what is missing
	@bin/services start

cluster: ## Three Elasticsearch nodes on loopback (bin/services cluster stop ends them)
	@bin/services cluster start

services-stop: ## Stop Elasticsearch, and the Redis that was started here
	@bin/services stop

test: setup-dev ## Every test: on SQLite, and on PostgreSQL and Elasticsearch where they can be had
	@bin/test

test-fast: setup-dev ## The quick tests on SQLite, under 90 seconds
	$(PYTEST) -n $(JOBS) -q -m "not slow and not postgres and not elasticsearch and not browser"

fuzz-returns: setup-dev ## 100,000 mutated return files read, 4,000 of them posted (FUZZ_SEED=, FUZZ_MUTANTS=, FUZZ_POSTINGS=, FUZZ_ONLY=)
	FUZZ_MUTANTS=$${FUZZ_MUTANTS:-100000} FUZZ_POSTINGS=$${FUZZ_POSTINGS:-4000} $(LONG) tests/fuzz

tamper: setup-dev ## A thousand tamperings in raw SQL on PostgreSQL: each refused, or found by the audit (TAMPER=, TAMPER_FROM=)
	TAMPER=$${TAMPER:-1000} DATABASE_URL=$${DATABASE_URL:-postgres://huida:huida@127.0.0.1:5432/huida} $(LONG) tests/integration/disbursement/tampering

faults: setup-dev ## 200 kill -9 and 200 broken connections over a month's run, 20 workers on one budget line (FAULTS=, FAULTS_SEED=, FAULTS_ONLY=)
	FAULTS=$${FAULTS:-200} LINE_WORKERS=$${LINE_WORKERS:-20} LINE_DEEDS=$${LINE_DEEDS:-500} DATABASE_URL=$${DATABASE_URL:-postgres://huida:huida@127.0.0.1:5432/huida} $(LONG) tests/faults/test_month.py tests/faults/test_one_line.py

every-address: setup-dev ## Every address for every role with every id, on SQLite (make test asks for a third of it a day)
	env -u DATABASE_URL EVERY_ADDRESS=whole $(PYTEST) -q tests/integration/portal/test_every_address.py

machine: setup-dev ## 20,000 steps of whatever may be done with money, in any order, on SQLite (STEPS=)
	env -u DATABASE_URL HUIDA_STATEFUL_TOTAL=$${STEPS:-20000} HUIDA_STATEFUL_PARTS=$(JOBS) $(LONG) -s -n $(JOBS) tests/stateful

soak: setup-dev ## The same until a million steps are taken, or SOAK=36000 seconds are over
	env -u DATABASE_URL HUIDA_STATEFUL_TOTAL=1000000 HUIDA_STATEFUL_PARTS=$(JOBS) HUIDA_STATEFUL_SECONDS=$${SOAK:-36000} $(LONG) -s -n $(JOBS) tests/stateful

test-cluster: setup-dev services ## Three nodes and 50,000 pushes: killed, stopped, frozen, emptied (about half an hour)
	DATABASE_URL=$${TEST_DATABASE_URL:-postgres://huida:huida@127.0.0.1:5432/huida} CLUSTER=whole $(PYTEST) --timeout=0 -s -v tests/cluster

lint: setup-dev ## Style of code and templates, types, import rules, migrations
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/djangofmt --check $(TEMPLATES)
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	DJANGO_SETTINGS_MODULE=portal.settings.test $(PY) manage.py makemigrations --check --dry-run

format: setup-dev ## Let ruff put the code in order
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/djangofmt $(TEMPLATES)

migrations: setup-dev ## Write migrations for changed models
	$(PY) manage.py makemigrations

schemas: setup-dev ## Write docs/schemas from the code
	$(PY) -m matching.criteria.schemas

bench: setup-dev ## Benchmarks, as ratios in one run (docs/benchmarks.md)
	$(PY) -m bench

bench-elastic: setup-dev ## Half a million profiles on Elasticsearch (ELASTICSEARCH_URL), counted and walked
	$(PY) -m bench.profiles

bench-search: setup-dev ## The judged queries of tests/search_quality, on every database at hand
	$(PY) -m bench.search

messages: ## Compile portal/locale (needs gettext)
	msgfmt -o portal/locale/zh_Hans/LC_MESSAGES/django.mo portal/locale/zh_Hans/LC_MESSAGES/django.po

lock: setup-dev ## Compile and pin requirements*.txt
	$(VENV)/bin/pip-compile -q --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.txt requirements.in
	$(VENV)/bin/pip-compile -q --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements-dev.txt requirements-dev.in

clean: ## Remove the whole of var (demo district, SQLite, uploads, data of services) and every cache (not .venv)
	rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

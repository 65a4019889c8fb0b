# make run    set up .venv and run the Drell-Yan + Z' card: cross section and 10,000 unweighted events
# make test   set up .venv and run the tests            make lint   ruff and mypy
# make bench  side-by-side measurements, JSON in benchmarks/results
#
# PYTHON=python3.12 picks another interpreter; the environment is made again when what it is made of changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
BENCHMARKS := toys step_profile
SOURCES := setup.py pyproject.toml constraints.txt CMakeLists.txt $(shell find cpp -type f)

.PHONY: run test lint bench clean

run: $(VENV)/.installed
	$(BIN)/madnis-py run drell_yan_zprime -o runs/drell_yan_zprime --events 10000

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-test
	mkdir -p benchmarks/results
	set -e; for name in $(BENCHMARKS); do \
	  OMP_NUM_THREADS=1 $(BIN)/python benchmarks/$$name.py --output benchmarks/results/$$name.json; done

clean:
	rm -rf $(VENV) build runs *.egg-info madnis_py/_core*.so

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python $(SOURCES)
	$(INSTALL) --editable .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(INSTALL) --only-binary pythia8mc --editable ".[test,lint]"
	touch $@

# make run    set up .venv and run the Drell-Yan + Z' card: cross section and 10,000 unweighted events
# make test   set up .venv and run the tests            make lint   ruff and mypy
# make bench  side-by-side measurements, JSON in benchmarks/results
# make tsan   build the kernels with the thread sanitizer and run them from many threads; needs cmake and libtsan alone
#
# PYTHON=python3.12 picks another interpreter; the environment is made again when what it is made of changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
BENCHMARKS := toys step_profile
TSAN_BUILD ?= build/tsan
# Address layouts with much randomness leave older sanitizers no room ("unexpected memory mapping").
FIXED_LAYOUT := setarch $(shell uname -m) --addr-no-randomize
SOURCES := setup.py pyproject.toml constraints.txt CMakeLists.txt $(shell find cpp -type f)

.PHONY: run test lint bench tsan clean

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

tsan:
	cmake -S . -B $(TSAN_BUILD) -DMADNIS_SANITIZE=thread
	cmake --build $(TSAN_BUILD) --parallel
	if $(FIXED_LAYOUT) true 2> /dev/null; then $(FIXED_LAYOUT) $(TSAN_BUILD)/thread_safety; \
	else $(TSAN_BUILD)/thread_safety; fi

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

# make run    set up .venv and run the Drell-Yan + Z' card: cross section and 10,000 unweighted events
# make test   set up .venv and run the tests            make lint   ruff and mypy
# make bench  ours beside other programs, on 1 and 2 threads: a table each, JSON in benchmarks/results
# make validation   cross sections, distributions and |M|^2 beside Pythia, formulas and MadGraph: docs/validation.md
# make fuzz   20,000 damaged inputs, FUZZ_ARGS for others
# make toys   the toy studies of the MadNIS thesis, JSON and figures in benchmarks/results
# make tsan   build the kernels with the thread sanitizer and run them from many threads; needs cmake and libtsan alone
#
# PYTHON=python3.12 picks another interpreter; the environment is made again when what it is made of changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
COMPARISONS := training_step sampling vegas_warmup phase_space
COMPARED_ONCE := import_time peak_memory step_profile matrix_elements event_files vegas_dropin
BENCH := OMP_NUM_THREADS=1 $(BIN)/python benchmarks
SOURCES := setup.py pyproject.toml constraints.txt CMakeLists.txt $(shell find cpp -type f)

TSAN_BUILD ?= build/tsan
# Address layouts with much randomness leave older sanitizers no room ("unexpected memory mapping").
FIXED_LAYOUT := setarch $(shell uname -m) --addr-no-randomize

.PHONY: run test lint bench validation fuzz toys tsan clean

run: $(VENV)/.installed
	$(BIN)/madnis-py run drell_yan_zprime -o runs/drell_yan_zprime --events 10000

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-bench
	set -e; for name in $(COMPARISONS); do for threads in 1 2; do \
	  $(BENCH)/$$name.py --threads $$threads --output benchmarks/results/$${name}_$$threads.json; done; done
	set -e; for name in $(COMPARED_ONCE); do $(BENCH)/$$name.py --output benchmarks/results/$$name.json; done
	$(BENCH)/loss_curves.py --threads 2 --output benchmarks/results/loss_curves.json

validation: $(VENV)/.installed-test
	$(BENCH)/validation.py --page docs/validation.md --output benchmarks/results/validation.json

fuzz: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/campaign.py --inputs 20000 $(FUZZ_ARGS)

toys: $(VENV)/.installed-test
	$(BENCH)/toys.py --output benchmarks/results/toys.json

tsan:
	cmake -S . -B $(TSAN_BUILD) -DMADNIS_SANITIZE=thread
	cmake --build $(TSAN_BUILD) --parallel
	if $(FIXED_LAYOUT) true 2> /dev/null; then $(FIXED_LAYOUT) $(TSAN_BUILD)/thread_safety; \
	else $(TSAN_BUILD)/thread_safety; fi

clean:
	rm -rf $(VENV) build runs *.egg-info madnis_py/_core*.so

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# Each builds the kernels once, and what it installs contains what those before it do.
$(VENV)/.installed: $(BIN)/python $(SOURCES)
	$(INSTALL) --editable .
	touch $@

$(VENV)/.installed-test: $(BIN)/python $(SOURCES)
	$(INSTALL) --only-binary pythia8mc --editable ".[test,lint]"
	touch $(VENV)/.installed $@

$(VENV)/.installed-bench: $(BIN)/python $(SOURCES)
	$(INSTALL) --only-binary pythia8mc,madspace --editable ".[test,lint,bench]"
	touch $(VENV)/.installed $(VENV)/.installed-test $@

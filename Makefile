# `make help` lists the targets with the line behind their ##.
#
# PYTHON=python3.12 picks another interpreter; the environment is made again when what it is made of
# changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
COMPARISONS := training_step sampling vegas_warmup phase_space
COMPARED_ONCE := import_time peak_memory step_profile number_types matrix_elements event_files \
  vegas_dropin
BENCH := OMP_NUM_THREADS=1 $(BIN)/python benchmarks
SOURCES := setup.py pyproject.toml constraints.txt CMakeLists.txt $(shell find cpp -type f)

TSAN_BUILD ?= build/tsan
# Address layouts with much randomness leave older sanitizers no room ("unexpected memory mapping").
FIXED_LAYOUT := setarch $(shell uname -m) --addr-no-randomize

.DEFAULT_GOAL := help
.PHONY: help run test lint bench validation fuzz toys tsan docs dist lowest clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.* ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: $(VENV)/.installed ## run the Drell-Yan + Z' card: cross section and 10,000 unweighted events
	$(BIN)/madnis-py run drell_yan_zprime -o runs/drell_yan_zprime --events 10000

test: $(VENV)/.installed-test ## tests; COVERAGE=1 adds what they cover, PYTEST_ARGS picks some
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
	  $(if $(filter 1,$(COVERAGE)),--cov --cov-report=term:skip-covered) $(PYTEST_ARGS)

lint: $(VENV)/.installed-test ## ruff, clang-format, mypy, stubtest, and what kernels of a GPU compile to
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(shell find cpp -name '*.cpp' -o -name '*.h*' -o -name '*.cu')
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest madnis_py._core --mypy-config-file pyproject.toml \
	  --allowlist cpp/stubtest_allowlist.txt
	$(BIN)/python benchmarks/compile_report.py

bench: $(VENV)/.installed-bench ## ours beside other programs: tables, and JSON in benchmarks/results
	set -e; for name in $(COMPARISONS); do for threads in 1 2; do \
	  $(BENCH)/$$name.py --threads $$threads --output benchmarks/results/$${name}_$$threads.json; done; done
	set -e; for name in $(COMPARED_ONCE); do $(BENCH)/$$name.py --output benchmarks/results/$$name.json; done
	$(BENCH)/loss_curves.py --threads 2 --output benchmarks/results/loss_curves.json

validation: $(VENV)/.installed-test ## numbers beside Pythia, formulas and MadGraph: docs/validation.md
	$(BENCH)/validation.py --page docs/validation.md --output benchmarks/results/validation.json

fuzz: $(VENV)/.installed-test ## 20,000 damaged inputs at every door; FUZZ_ARGS for others
	OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/campaign.py --inputs 20000 $(FUZZ_ARGS)

toys: $(VENV)/.installed-test ## toy studies of the MadNIS thesis, in benchmarks/results (hours)
	$(BENCH)/toys.py --output benchmarks/results/toys.json

tsan: ## kernels under the thread sanitizer; needs cmake and libtsan alone
	cmake -S . -B $(TSAN_BUILD) -DMADNIS_SANITIZE=thread
	cmake --build $(TSAN_BUILD) --parallel
	if $(FIXED_LAYOUT) true 2> /dev/null; then $(FIXED_LAYOUT) $(TSAN_BUILD)/thread_safety; \
	else $(TSAN_BUILD)/thread_safety; fi

docs: $(BIN)/python ## site of the documents and of all public names, in build/docs
	$(INSTALL) sphinx furo myst-parser griffe
	$(BIN)/python scripts/make_pages.py build/docs

dist: $(BIN)/python ## source distribution and the wheel made of it, in dist, each looked through
	$(INSTALL) build twine
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python scripts/check_distributions.py dist

lowest: ## tests with the lowest versions that pyproject.toml allows; needs uv
	uv venv --quiet --clear --python $(PYTHON) build/lowest
	uv pip install --quiet --python build/lowest/bin/python --resolution lowest-direct \
	  --torch-backend cpu --editable ".[test]"
	build/lowest/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
	  -W default $(PYTEST_ARGS)

clean: ## remove the environment, what was built and runs
	rm -rf $(VENV) build dist runs *.egg-info madnis_py/_core*.so

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

# Everything that one does with a checkout. Python 3.11 or newer with pip is all that is needed.
#
#   make demo [ARGS="--speed 4"]   patients with wearables, an emergency, a dispatch centre, all on this machine
#   make test [ARGS="-k ward"]     every test; JOBS=1 for one process
#   make lint                      ruff, mypy, import-linter
#   make screenshots [ARGS=DIR]    every page, desk and phone, light and dark, English and Chinese, as pictures (chromium)
#   make bench                     the figures of the ECG codec, the detector, the whole way in, and telling people
#   make mutants [ARGS="..."]      each known way to break the product turns a test red
#   make lock                      after a change of the dependencies in pyproject.toml

PYTHON ?= python3
JOBS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
CODE := gateway stream alerts api device_sims tests benchmarks tierwatch.py

# Ours alone: no package of this machine, and no cache of numba's beside the sources.
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX

.PHONY: demo test screenshots lint bench mutants lock install

demo: $(INSTALLED)
	@$(BIN)/tierwatch demo $(ARGS)

test: $(INSTALLED)
	@mkdir -p var/numba
	@NUMBA_CACHE_DIR="$(CURDIR)/var/numba" $(BIN)/python -m pytest -n $(JOBS) --dist loadscope --durations=15 $(ARGS)

# Into var/screenshots, unless ARGS names a folder; the same looks for barriers and for what does not fit.
screenshots: $(INSTALLED)
	@TIERWATCH_SHOTS="$(abspath $(or $(ARGS),var/screenshots))" $(BIN)/python -m pytest -n $(JOBS) tests/api/looks_test.py
	@echo "Written to $(or $(ARGS),var/screenshots)"

lint: $(INSTALLED)
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED)
	@mkdir -p var/numba
	@for figures in ecg_coding ward ingest telling; do \
	  echo "== benchmarks/$$figures.py"; \
	  NUMBA_CACHE_DIR="$(CURDIR)/var/numba" $(BIN)/python benchmarks/$$figures.py || exit 1; \
	done

mutants: $(INSTALLED)
	@NUMBA_CACHE_DIR="$(CURDIR)/var/numba" $(BIN)/python tests/mutants/run.py $(ARGS)

# No addresses and no host of an index in the lock: it holds names, versions and hashes only.
lock: $(BIN)/uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header --no-annotate -o requirements.lock

install: $(INSTALLED)

# Once for each change of the lock. The environment is never the system's: what is installed there does not show here.
$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

# A Python without ensurepip makes an environment without pip; its own pip then installs into that.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Tierwatch needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version). Name another: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --without-pip --clear $(VENV)
	@echo "Installing what Tierwatch needs into $(VENV), once"
	@$(BIN)/python -m pip install --quiet uv 2>/dev/null || $(PYTHON) -m pip --python $(BIN)/python install --quiet uv

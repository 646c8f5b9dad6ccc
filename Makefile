# make demo   watch Dialed tune a network on real data
# make test   the whole test suite; `make test-fast` leaves out the slow tests, `make test-nightly` runs the longest
# make check  format, lint and types
# make docs   the documentation as pages in site/
# make bench  side by side with other projects; PARTS=quick is small, PARTS=grid,race-mnist are some
# make lock   resolve the dependencies of pyproject.toml again
#
# Needs make and Python 3.11 to 3.13; everything else is installed into VENV from the lock files.

VENV ?= .venv
PYTHON := $(VENV)/bin/python
RUNTIME := $(VENV)/.runtime
DEVELOP := $(VENV)/.develop
WORKERS ?= 2
PARTS ?= all
BENCH := $(VENV)-bench
DATA ?= ../shared/data
TABLES ?= ../shared/benchmarks
PYTEST := $(PYTHON) -m pytest -q -n $(WORKERS) --dist loadfile
COMPILE := uv pip compile pyproject.toml --group build --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-nightly check format docs bench lock clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: $(RUNTIME)
	$(VENV)/bin/dialed demo

test: $(DEVELOP)
	$(PYTEST) -m "not slow"
	$(PYTEST) -m slow

test-fast: $(DEVELOP)
	$(PYTEST) -m "not slow"

test-nightly: $(DEVELOP)
	$(PYTEST) -m nightly

check: $(DEVELOP)
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy

format: $(DEVELOP)
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix

docs: $(DEVELOP)
	$(PYTHON) -m sphinx -W --keep-going -q -b html docs site
	@echo "Open site/index.html"

bench: $(BENCH)/.peers
	$(BENCH)/bin/python benchmarks/bench.py --parts $(PARTS) --data $(DATA) --tables $(TABLES)

lock:
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) $(VENV)-uv $(BENCH) $(BENCH)-uv site dist build .pytest_cache .mypy_cache .ruff_cache

$(RUNTIME): requirements.lock pyproject.toml .ci/environment
	./.ci/environment $(VENV) requirements.lock
	@touch $@

# The development lock holds all of the other at the same versions, so it serves the demo too.
$(DEVELOP): requirements-dev.lock pyproject.toml .ci/environment
	./.ci/environment $(VENV) requirements-dev.lock
	@touch $(RUNTIME) $@

$(BENCH)/.peers: requirements-dev.lock benchmarks/peers.txt benchmarks/environment .ci/environment
	./benchmarks/environment $(BENCH)
	@touch $@

# Everything a person needs: `make run` to try, `make test` to check. Only Python 3.11 and make are needed.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help run install test lint bench shots lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# uv installs five times faster than pip; where it cannot be had, pip does the same from the same hashes.
$(VENV)/.installed: requirements/dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check $(UV) && $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.txt \
	  || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

install: $(VENV)/.installed  ## make .venv with everything, test tools included

run: install  ## start the demo: web, worker and a sandbox shop that sells
	$(BIN)/python manage.py demo

test: install lint  ## run the whole suite (PostgreSQL, Redis and browser tests where those are found)
	$(BIN)/python -m tests.run

lint: install  ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy .

bench: install  ## measure, and print the table of docs/performance.md
	$(BIN)/python -m bench

shots: install  ## take pictures of every screen into var/shots
	$(BIN)/python -m tests.shots

lock: install  ## pin the requirements again; the files name no index
	cd requirements && for name in base dev; do ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $$name.in -o $$name.txt; done

clean:  ## remove the environment and the demo's data
	rm -rf $(VENV) var

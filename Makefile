# The tasks of this project. `make` alone lists them. They need Python >= 3.11 with pip, git and make; nothing else.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# What starts often here starts in half the time when Python may keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup up test lint check docs bench soak pins

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The first Python on this machine that can run Opsloop; `make PYTHON=/path/to/python3.12 up` chooses another.
CAN_RUN := import sys, venv; sys.exit(sys.version_info < (3, 11))
CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3 python
PYTHON ?= $(shell for name in $(CANDIDATES); do "$$name" -c '$(CAN_RUN)' >/dev/null 2>&1 && echo "$$name" && break; done)
# Debian keeps ensurepip in a package of its own; where it is missing, the machine's pip brings the environment's.
VENV_WITHOUT_ENSUREPIP := $(PYTHON) -m venv --without-pip $(VENV) && \
	$(PYTHON) -m pip --quiet --disable-pip-version-check --python $(BIN)/python install pip

# Pins for every platform and Python from 3.11 on, without the address of any registry.
COMPILE := $(VENV)/pins/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.dev-installed  ## Install everything development needs into .venv

up: $(VENV)/.up-installed  ## Start the platform with the sample project; prints the console's address
	@exec $(BIN)/opsloop up --if-needed --project examples/support-chatbot

test: setup  ## Run every test
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

lint: setup  ## Check format, types, import contracts and the generated pages
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m docs.generate --check

check: lint  ## That, and run the docs' examples
	@$(BIN)/python -m pytest --quiet --numprocesses auto --maxprocesses 8 tests/docs tests/unit/test_architecture.py

docs: setup  ## Write the generated pages of docs/reference anew
	@$(BIN)/python -m docs.generate

bench: setup  ## Run every benchmark; fails when one misses its goal
	@$(BIN)/python benchmarks

soak: setup  ## Ten minutes of everything that can go wrong, under load; SOAK_S=60 for a minute
	@cd benchmarks && ../$(BIN)/python -m soak --seconds $(or $(SOAK_S),600)

pins: $(BIN)/python  ## Renew the pinned versions in requirements/
	@$(BIN)/python -m venv $(VENV)/pins && $(VENV)/pins/bin/python -m pip install --quiet --disable-pip-version-check uv
	@$(COMPILE) --extra all --extra aws --output-file requirements/up.txt
	@$(COMPILE) --extra dev --constraint requirements/up.txt --output-file requirements/dev.txt

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "opsloop needs Python 3.11 or newer with venv: install it, or name it with make PYTHON=..." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)" >&2
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); else $(VENV_WITHOUT_ENSUREPIP); fi

$(VENV)/.up-installed: pyproject.toml requirements/up.txt | $(BIN)/python
	@echo "Installing Opsloop and its libraries into $(VENV) (once; about a minute)" >&2
	@$(PIP) --constraint requirements/up.txt --editable '.[all]'
	@touch $@

$(VENV)/.dev-installed: pyproject.toml requirements/dev.txt | $(BIN)/python
	@echo "Installing Opsloop and its development tools into $(VENV) (once; about a minute)" >&2
	@$(PIP) --constraint requirements/dev.txt --editable '.[dev]'
	@touch $@ $(VENV)/.up-installed

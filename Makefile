# Everything here needs python3 >= 3.11 and make, nothing else: each target makes its own environment in .venv.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
RUN_STAMP := .venv/.made-to-run
TEST_STAMP := .venv/.made-to-test
DEV := .venv/dev.txt
# pip before 25.1 cannot read dependency groups, so the group is written out for it.
WRITE_DEV = $(BIN)/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' > $(DEV)
# A plain path in site-packages: the other way of editing in place costs every start of the command 10 ms.
EDITABLE := --config-settings editable_mode=compat

.DEFAULT_GOAL := help
.PHONY: practice test lint format proto docs bench fuzz walk-recordings screenshots journeys help clean

help: ## say what there is
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 \2/p' $(MAKEFILE_LIST) | awk '{ n = $$1; $$1 = ""; printf "  %-17s%s\n", n, $$0 }'

practice: $(RUN_STAMP) ## diagnose a broken agent in the practice cluster; SCENARIO=name for another fault
	@$(BIN)/honeyguide practice $(SCENARIO)

test: $(TEST_STAMP) lint ## everything that must pass: format, lint, types, import contracts, tests
	$(BIN)/pytest

lint: $(TEST_STAMP) ## format, lint, types and import contracts, without the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(TEST_STAMP) ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proto: $(TEST_STAMP) ## write the code anew that is made from the .proto files
	$(BIN)/python -m tests.model.hubble.generated

docs: $(TEST_STAMP) ## write the pages anew that are made from the code
	$(BIN)/python -m tests.contracts.pages

bench: $(TEST_STAMP) ## measure: start-up, first paint, a check of 100 agents
	$(BIN)/python -m tests.bench

fuzz: $(TEST_STAMP) ## feed every decoder with damaged answers for long; FUZZ=number of inputs for each
	$(BIN)/python -m tests.model.fuzz $(FUZZ)

walk-recordings: $(TEST_STAMP) ## say what becomes of every answer and file in a FOLDER of recordings; OUT=file, FILES=file
	$(BIN)/python -m tests.walk $(FOLDER) $(or $(OUT),/dev/stdout)
	$(BIN)/python -m tests.walk_archive $(FOLDER) $(or $(FILES),/dev/stdout)

screenshots: $(TEST_STAMP) ## draw the pictures of the README anew
	$(BIN)/python -m tests.screenshots

journeys: $(TEST_STAMP) ## write the screens anew that three ways through the console lead to
	$(BIN)/python -m tests.tui.journeys

clean: ## remove the environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .pytest_cache build honeyguide.egg-info

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'honeyguide needs python3 3.11 or newer on the PATH, or make PYTHON=/path/to/python3' >&2; exit 1; }
ifneq ($(UV),)
	@$(UV) venv --quiet --python $(PYTHON) .venv
else
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo 'python3 cannot make an environment here; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
endif

$(RUN_STAMP): pyproject.toml | $(BIN)/python
	@echo 'Making the environment in .venv (once)' >&2
ifneq ($(UV),)
	@$(UV) pip install --quiet --python $(BIN)/python $(EDITABLE) -e .
else
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(EDITABLE) -e .
endif
	@touch $@

$(TEST_STAMP): $(RUN_STAMP)
	@echo 'Adding what the tests need (once)' >&2
	@$(WRITE_DEV)
ifneq ($(UV),)
	@$(UV) pip install --quiet --python $(BIN)/python -r $(DEV)
else
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(DEV)
endif
	@touch $@

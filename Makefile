# Everything a person does with this project. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
LANGUAGE ?= en
CURRENCY ?= IDR
TIME_ZONE ?= Asia/Jakarta

.PHONY: help demo test spark bench lint docs i18n lock clean
help: ## List what there is to do
	@grep -E '^[a-z0-9]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

$(VENV)/ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(VENV)/ready i18n ## The whole loop on a simulated shop; ORDERS=file runs it on your own (SERVE=0: do not serve)
	$(BIN)/python -m setia.demo --serve $(SERVE) --language $(LANGUAGE) \
	  $(if $(ORDERS),--orders "$(ORDERS)" --currency $(CURRENCY) --time-zone $(TIME_ZONE))

test: $(VENV)/ready-dev i18n ## Everything that must hold: style, types, walls between rooms, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

spark: $(VENV)/ready-dev ## Add Spark to the environment, so that `make test` compares both engines (needs Java 17)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-spark.txt

bench: $(VENV)/ready-dev ## Measure speed against what a user would pick instead (long)
	$(BIN)/python -m benchmarks

docs: $(VENV)/ready i18n ## Make the generated pages of docs/reference anew
	$(BIN)/python -m docs.generate

i18n: $(VENV)/ready ## Compile the language catalogues
	@$(BIN)/python -m hatch_build

lock: ## Resolve the pinned versions anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --extra simulate --group build pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --extra simulate --group dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --extra spark -c requirements.txt -c requirements-dev.txt pyproject.toml -o requirements-spark.txt

clean: ## Remove the environment and what was made
	rm -rf $(VENV) demo dist build

# The verbs of this project. Those that need the environment set it up first; `make setup` alone does only that.

ARGS ?=
# Processes that run tests side by side, one more than cores to fill gaps; each may take 3 GB.
WORKERS ?= $(shell n=$$(nproc); echo $$((n < 3 ? n + 1 : 4)))
POSTERS := .venv/bin/posters
SAMPLE := workspace/sample

.DEFAULT_GOAL := help
.PHONY: help setup run test lint format bench images lock clean distclean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install everything into .venv/ and .tools/; does nothing when it is there
	@scripts/setup

run: setup ## draw the sample and run the whole pipeline on it; ARGS="--set trainer.epochs=5" changes it
	$(POSTERS) sample --out $(SAMPLE)/source
	$(POSTERS) ingest --config sample --csv $(SAMPLE)/source/MovieGenre.csv \
		--images $(SAMPLE)/source/images --out $(SAMPLE)/data
	$(POSTERS) run --config sample $(ARGS)

test: setup ## run the tests; ARGS="tests/unit -k doctor" picks some, WORKERS=1 runs one at a time
	.venv/bin/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(ARGS)

lint: setup ## check style and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

format: setup ## mend what lint can mend by itself
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: setup ## measure the figures that the README quotes
	.venv/bin/python -m bench $(ARGS)

images: ## build the container images; IMAGES=registry/folder/ is put before their names
	@scripts/images

lock: ## regenerate the locks in requirements/; ARGS=--upgrade moves to newer versions
	@scripts/lock $(ARGS)

clean: ## remove workspace/, build leftovers and caches
	rm -rf workspace build dist *.egg-info .pytest_cache .hypothesis .ruff_cache
	find . -path ./.venv -prune -o -path ./.tools -prune -o -path ./.git -prune \
		-o -type d -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## also remove .venv/ and .tools/
	rm -rf .venv .tools

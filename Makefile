# Two commands matter: `make demo` and `make test`. Both do all the set-up they need.
.PHONY: demo test test-slow check docs coverage clean help

RUN ?= RUN

help:            ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

demo:            ## Run the whole loop on the built-in world; prints the report's path
	@scripts/setup
	@.venv/bin/giftlive run --demo --out $(RUN) --overwrite

test:            ## The whole default test suite
	@scripts/setup dev
	@scripts/test

test-slow:       ## Theory, coverage, scale and Spark tests (Spark also needs a Java runtime)
	@scripts/setup dev,spark
	@scripts/test -m slow

check:           ## Format, lint, types, import direction, sizes
	@scripts/setup dev
	@scripts/check

docs:            ## Run every docstring example, check links and made pages, build site/
	@scripts/setup dev,docs
	@scripts/docs

coverage:        ## Measure the coverage table again (about 40 minutes on 2 cores; resumable)
	@scripts/setup dev
	@.venv/bin/giftlive coverage --out docs
	@mv docs/coverage_table.csv src/giftlive/stats/

clean:           ## Remove runs, caches and the virtual environment
	rm -rf .venv RUN .cache site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

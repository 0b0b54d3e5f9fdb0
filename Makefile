# `make demo` and `make test` need nothing done before: both begin with `make setup`.
.PHONY: setup demo test lint types lock bench rl wheel clean

setup:  ## everything the others need, into this folder
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

demo: setup  ## the whole loop on a simulated city; ARGS="--speed 60"
	@.venv/bin/chargeloop demo $(ARGS)

test: setup  ## all tests, among them lint, types and import rules; ARGS="tests/pricing -k cents"
	@.venv/bin/python -m pytest $(ARGS)

lint: setup  ## format and mend what can be mended
	@.venv/bin/ruff format
	@.venv/bin/ruff check --fix
	@.venv/bin/lint-imports

types: setup
	@.venv/bin/mypy

lock: setup  ## requirements/*.txt from pyproject.toml; ARGS=--upgrade for the newest
	@.venv/bin/python -m scripts.lock $(ARGS)

bench: setup  ## make bench NAME=loop ARGS=--quick
	@.venv/bin/chargeloop bench $(NAME) $(ARGS)

rl: setup  ## train the policy of solver `learned` anew, half an hour; ARGS="--out mine.onnx"
	@.venv/bin/python -m scripts.rl $(ARGS)

wheel: setup  ## dist/*.whl, with the pages built in
	@.venv/bin/uv build --quiet --wheel --no-build-isolation

clean:  ## all that setup and tests made
	rm -rf .venv .venv-rl dist web/node_modules src/chargeloop/console/pages .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks scripts -name __pycache__ -prune -exec rm -rf {} +

# `make demo` and `make test` need nothing but Python 3.11 or newer and pip.
PYTHON ?= python3
UV := $(PYTHON) -m uv
RUN := $(UV) run --no-sync --no-active
unexport VIRTUAL_ENV  # uv makes an environment of its own, and would warn of any other

.PHONY: demo test test-engines coverage bench lint types unit install

demo: UV_GROUPS := --no-default-groups
demo: install
	$(RUN) python examples/demo.py

test: install lint types unit

lint:
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types:
	$(RUN) mypy

unit:
	$(RUN) pytest --numprocesses 3 --dist loadgroup

# The contract and the adapters' suites on vLLM, on this machine's CPU, which it installs into `.engines` (6 GB); or on
# the server that `SCAFFOLDING_TEST_URL` names.
test-engines: install
	$(RUN) python -m tests.engines

# The tests once more, with the lines that none of them runs; it takes a fifth longer.
coverage: install
	$(RUN) pytest --numprocesses 2 --dist loadgroup --cov --cov-report=
	$(RUN) coverage report

bench: install
	$(RUN) python -m tests.benchmarks

install:
	@$(UV) --version >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet uv 2>/dev/null || $(PYTHON) -m pip install --quiet --user --break-system-packages uv
	$(UV) sync --quiet --extra all $(UV_GROUPS)

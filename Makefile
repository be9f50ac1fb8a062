# Everything starts from a bare checkout: Python >= 3.11, pip or venv, and make are enough.
#   PYTHON=/path/to/python3.12 make test     chooses the interpreter
#   VENV=/somewhere/else make test           puts the virtual environment elsewhere

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
BENCH_ARGS ?=
SOAK_ARGS ?=
DEMO_ARGS ?=
BOOT_ARGS ?=
TYPED := at agent tests

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench soak boot-test install clean mosquitto

help: ## this list
	@echo "modem-agent: targets"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '%-16s %s\n' "$$name" "$$text"; done

demo: $(VENV)/.demo ## the whole road of a command, without hardware or server
	@$(BIN)/modem-agent demo $(DEMO_ARGS)

test: $(VENV)/.test mosquitto ## every test (PYTEST_ARGS="-k name" narrows)
	@echo "==> tests"
	@$(BIN)/python -m pytest -W error $(PYTEST_ARGS)

check: $(VENV)/.dev ## ruff, mypy --strict, import directions
	@echo "==> ruff check";   $(BIN)/ruff check --quiet --output-format concise .
	@echo "==> ruff format";  $(BIN)/ruff format --check --quiet .
	@echo "==> mypy --strict"; $(BIN)/mypy --no-error-summary $(TYPED)
	@echo "==> import directions"; $(BIN)/python -m pytest -q -W error tests/test_architecture.py

format: $(VENV)/.dev ## put the sources into shape
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: $(VENV)/.dev mosquitto ## measure everything that has a budget
	@$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

soak: $(VENV)/.dev mosquitto ## thousands of random kills, hours of traffic
	@$(BIN)/python -m tests.soak $(SOAK_ARGS)

boot-test: $(VENV)/.run ## the service in a booted Debian (root; BOOT_ARGS=--devices: on a serial device)
	@if [ "$$(id -u)" = 0 ]; then sh .ci/packages debootstrap=debootstrap \
		$(if $(findstring --devices,$(BOOT_ARGS)),qemu-system-x86_64=qemu-system-x86,systemd-nspawn=systemd-container); fi
	@nice $(BIN)/python -m tests.systemd.boot $(BOOT_ARGS)

install: $(VENV)/.run ## the agent alone, in $(VENV)
	@echo "installed: $(BIN)/modem-agent"

clean: ## remove what the targets above made
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null; true

# One stamp per set of dependencies; a set is installed again when pyproject.toml changes.
$(VENV)/.run: EXTRA :=
$(VENV)/.demo: EXTRA := [demo]
$(VENV)/.test: EXTRA := [test]
$(VENV)/.dev: EXTRA := [dev]
$(VENV)/.run $(VENV)/.demo $(VENV)/.test $(VENV)/.dev: pyproject.toml | $(BIN)/python
	@PYTHON="$(PYTHON)" sh .ci/venv install "$(VENV)" ".$(EXTRA)"
	@touch $@

$(BIN)/python:
	@PYTHON="$(PYTHON)" sh .ci/venv create "$(VENV)"

# Tests against a real broker skip themselves, and say so, where there is none.
mosquitto:
	@sh .ci/packages mosquitto=mosquitto

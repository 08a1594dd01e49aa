# Everything a person or CI runs. `.venv` is made once, and again when requirements.txt changes.

PYTHON ?= python3
BIN := .venv/bin

# Without cached bytecode every process compiles every module again, which takes longer than most tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint bench journeys

demo: .venv/installed
	$(BIN)/python manage.py demo

test: .venv/installed
	$(BIN)/pytest -n 2 --dist worksteal --ignore tests/journeys --ignore tests/benchmarks

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy apps config
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py lintmigrations --warnings-as-errors

bench: .venv/installed
	$(BIN)/pytest tests/benchmarks -s || test $$? -eq 5  # 5: there are none yet

journeys: .venv/installed
	$(BIN)/pytest tests/journeys || test $$? -eq 5  # 5: there are none yet

.venv/installed: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

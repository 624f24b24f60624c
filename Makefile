# Everything a developer does here. Needs Python 3.11, 3.12 or 3.13 with venv; the rest comes into .venv.

PYTHON_VERSIONS = import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
ROLE ?= admin

.DEFAULT_GOAL := help
.PHONY: help run test test-slow lint token reset screenshots

help:
	@echo "make run        start everything and say where it is (PORT=8000)"
	@echo "make test       the quick tests"
	@echo "make test-slow  the tests that take seconds each"
	@echo "make lint       style and formatting"
	@echo "make token      print an access token (ROLE=admin, manager, agent or viewer)"
	@echo "make reset      delete the embedded data"
	@echo "make screenshots  take docs/screenshots again, with a Chromium"

run: .venv/ready .env
	@exec .venv/bin/python manage.py run

test: .venv/ready
	@.venv/bin/python -m pytest -q -n 2 -m "not slow"

test-slow: .venv/ready
	@.venv/bin/python -m pytest -q -m slow

lint: .venv/ready
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

token: .venv/ready .env
	@.venv/bin/python manage.py token --role "$(ROLE)"

reset: .venv/ready .env
	@.venv/bin/python manage.py reset

screenshots: .venv/ready
	@.venv/bin/python docs/screenshots.py

.env:
	@cp .env.example .env

# What is said goes to stderr: the output of make token is a token.
.venv/ready: requirements-dev.txt
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if $$python -c '$(PYTHON_VERSIONS)' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "The hub needs Python 3.11, 3.12 or 3.13 with its venv module; PYTHON=/path/to/python make names one." >&2; \
	    exit 1; \
	fi; \
	echo "Installing the packages of requirements-dev.txt into .venv, a minute or two the first time." >&2; \
	$$found -m venv --clear .venv && \
	.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt >&2 && \
	touch .venv/ready

# `make run` and `make test` set up all they need from a clean clone with python3 (>= 3.11, with venv) and make.
# Nothing is written outside this folder and the instance folder.
PYTHON ?= python3
# Test processes at once; more tests than cores only wait for each other's browsers.
JOBS ?= 2
# More arguments for pytest: make test ARGS="-k history".
ARGS ?=
# For `make lock`: make lock LOCK_ARGS=--upgrade.
LOCK_ARGS ?=

export XDG_CACHE_HOME := $(CURDIR)/.cache
export npm_config_cache := $(XDG_CACHE_HOME)/npm
export RUFF_CACHE_DIR := $(XDG_CACHE_HOME)/ruff
export MYPY_CACHE_DIR := $(XDG_CACHE_HOME)/mypy
export HYPOTHESIS_STORAGE_DIRECTORY := $(XDG_CACHE_HOME)/hypothesis
export COVERAGE_FILE := $(XDG_CACHE_HOME)/coverage
export NODE_COMPILE_CACHE := $(XDG_CACHE_HOME)/node
# pip asks any rustc on the PATH for its version, and rustup then writes into the home folder.
export RUSTUP_HOME := $(XDG_CACHE_HOME)/rustup
export PYTEST_DEBUG_TEMPROOT := $(XDG_CACHE_HOME)
# uv trusts the certificates that the system trusts, as pip and curl do: an office proxy may have one of its own.
export UV_SYSTEM_CERTS ?= 1

python := .venv/bin/python
catalogues := $(wildcard webapp/translations/*/LC_MESSAGES/*.po)
translated := $(catalogues:.po=.mo)
built := static/dist/manifest.json
# PurgeCSS reads the templates and the code too: a class first used there must reach the style sheet.
sources := $(shell find assets templates webapp -type f -not -name "*.pyc" -not -name "*.?o")
pip := $(python) -m pip --quiet --disable-pip-version-check
# uv is quick; where it cannot reach its index, pip may know a mirror from its own configuration.
install = .venv/bin/uv pip install --quiet --python $(python) --compile-bytecode --require-hashes -r $(1) \
	|| $(pip) install --require-hashes -r $(1)
# What this machine is configured to install from must not colour the locks.
compile = env -u UV_INDEX -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS UV_NO_CONFIG=1 \
	.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header $(LOCK_ARGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-long lint types bench assets translations screenshots lock clean test-packages

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: .venv/.run $(built) $(translated) ## set everything up, migrate, and serve with the built-in sandbox
	@exec .venv/bin/yuliang serve

test: .venv/.dev $(built) $(translated) lint types test-packages ## lint, types and all tests but the long ones
	$(python) -m pytest -m "not long and not half" -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: .venv/.dev $(built) $(translated) ## the tests that take minutes, and the other half of combinations
	@sh tests/support/packages.sh libreoffice
	$(python) -m pytest -m "long or half" -n $(JOBS) --dist loadfile $(ARGS)

lint: .venv/.dev ## ruff (rules and format) and djlint
	.venv/bin/ruff check --quiet .
	.venv/bin/ruff format --quiet --check .
	.venv/bin/djlint --lint --quiet templates

types: .venv/.dev ## mypy, strict
	.venv/bin/mypy

bench: .venv/.dev $(built) $(translated) ## speed, size and memory as ratios, measured in one run
	$(python) -m benchmarks

assets: $(built) ## style sheet and scripts, from assets/ to static/dist/

translations: .venv/.dev ## collect new texts into the catalogues under webapp/translations/, and compile them
	.venv/bin/pybabel --quiet extract --mapping-file babel.cfg --keyword _l --keyword lazy_gettext --no-wrap --sort-by-file \
		--add-location file --project yuliang --output-file .cache/messages.pot .
	.venv/bin/pybabel --quiet update --input-file .cache/messages.pot --output-dir webapp/translations --no-wrap \
		--no-fuzzy-matching --ignore-pot-creation-date
	.venv/bin/pybabel --quiet compile --directory webapp/translations

screenshots: .venv/.dev $(built) $(translated) test-packages ## the pictures in docs/, from a real browser
	$(python) -m docs.screenshots

lock: .venv/.tools ## pin every dependency anew, for pip and npm
	$(compile) --output-file requirements-tools.txt --group pyproject.toml:tools
	$(compile) --output-file requirements-node.txt --group pyproject.toml:node
	$(compile) --output-file requirements.txt pyproject.toml
	$(compile) --output-file requirements-dev.txt --constraint requirements.txt --extra dev --extra bench pyproject.toml
	sh assets/node.sh npm install --package-lock-only

clean: ## remove all that was set up and built, but not the instance folder
	rm -rf .venv .cache .coverage .hypothesis .mypy_cache .ruff_cache build node_modules static/dist *.egg-info $(translated)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

test-packages:
	@sh tests/support/packages.sh

# A virtual environment holds absolute paths: one that came along with a moved or copied folder is made anew.
ifneq ($(shell cat .venv/.tools 2>/dev/null),$(CURDIR))
.PHONY: .venv/.tools
endif

.venv/.tools: requirements-tools.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up .venv"
	@mkdir -p .cache
	@$(PYTHON) -m venv --clear .venv
	@$(pip) install --require-hashes -r $<
	@echo '$(CURDIR)' >$@

.venv/.run: .venv/.tools requirements.txt pyproject.toml
	@echo "Installing what the server needs"
	@$(call install,requirements.txt)
	@TMPDIR="$(XDG_CACHE_HOME)" .venv/bin/uv pip install --quiet --python $(python) \
		--offline --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	@echo "Installing what the tests need"
	@$(call install,requirements-dev.txt)
	@touch $@

.venv/.npm: package.json package-lock.json .npmrc requirements-node.txt | .venv/.tools
	@echo "Installing what builds the style sheet and the scripts"
	@sh assets/node.sh npm ci --loglevel=error >/dev/null
	@touch $@

$(built): .venv/.npm $(sources)
	@sh assets/node.sh node assets/build.mjs

%.mo: %.po | .venv/.run
	@.venv/bin/pybabel --quiet compile --input-file $< --output-file $@

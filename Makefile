# DealGuard: every command a developer needs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON := .venv/bin/python
CLUSTER := $(PYTHON) -m dealguard_cluster
SETUP_STAMP := .venv/.dealguard-setup

# Use: make demo PDF=any/contract.pdf
export PDF ?=
# Use: make test ARGS="tests/unit -k reading"
ARGS ?=
# Use: make fuzz SECONDS=600
SECONDS ?= 120

.PHONY: help
help: ## List the commands
	@echo "DealGuard. The two to begin with: make demo, make test."
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(SETUP_STAMP): requirements/development.txt pyproject.toml scripts/setup
	@scripts/setup
	@touch $@

.PHONY: setup
setup: $(SETUP_STAMP) ## Make the virtual environment .venv with `dealguard` in it
	@echo "Next: source .venv/bin/activate && dealguard --help, or make demo"

.PHONY: demo
demo: $(SETUP_STAMP) ## Bring everything up and analyse two sample contracts, or PDF=any/contract.pdf
	@scripts/demo

.PHONY: test
test: check ## Set up what is needed and run all tests (ARGS= selects some)
	@# Before the tests, so that a first build shows its progress.
	@$(if $(findstring tests/unit,$(ARGS)),true,$(CLUSTER) build)
	@$(PYTHON) -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder $(ARGS)

.PHONY: test-faults
test-faults: $(SETUP_STAMP) ## Run the long form of the fault tests: kills, outages, lost watches, 200 analyses
	@$(CLUSTER) build
	@DEALGUARD_FAULTS=full $(PYTHON) -m pytest tests/faults $(ARGS)
	@echo "Next: build/faults.json has the figures"

.PHONY: fuzz
fuzz: $(SETUP_STAMP) ## Try changed PDFs on the reading of PDFs, for two minutes or SECONDS=
	@$(PYTHON) -m tests.fuzz.run --seconds $(SECONDS)

.PHONY: bench
bench: $(SETUP_STAMP) ## Measure the operator beside three others (ARGS=--quick for a short look; some three hours without)
	@$(PYTHON) -m benchmarks.operator $(ARGS)

.PHONY: bench-gateway
bench-gateway: $(SETUP_STAMP) ## Measure the gateway beside the service it replaces (ARGS=--quick for a short look)
	@$(PYTHON) -m benchmarks.gateway $(ARGS)

.PHONY: screenshots
screenshots: $(SETUP_STAMP) ## Make the README's pictures of the page anew
	@$(PYTHON) -m pytest tests/page --quiet
	@mkdir -p docs/images && cp tests/screenshots/list-de.png tests/screenshots/citation-en.png docs/images/
	@echo "Next: look at docs/images/; tests/screenshots/ has more"

.PHONY: check
check: $(SETUP_STAMP) ## Lint, type-check, and look whether generated files are up to date
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@$(PYTHON) scripts/generate.py --check

# Use: make evaluate CONTRACTS=contracts.jsonl.gz CLAUSES=clauses.jsonl OUT=scores.json; a - leaves one out
CONTRACTS ?= -
CLAUSES ?= -
OUT ?= scores.json
SPLIT ?=

.PHONY: evaluate
evaluate: $(SETUP_STAMP) ## Measure the offline engine on labelled contracts (CONTRACTS=, CLAUSES=, OUT=)
	@$(PYTHON) -m training.evaluate "$(CONTRACTS)" "$(CLAUSES)" "$(OUT)" $(SPLIT)

.PHONY: train
train: $(SETUP_STAMP) ## Make the offline engine's weights anew (CONTRACTS=, CLAUSES=)
	@test "$(CONTRACTS)" = - || $(PYTHON) -m training.train cuad "$(CONTRACTS)"
	@test "$(CLAUSES)" = - || $(PYTHON) -m training.train agb "$(CLAUSES)"

.PHONY: format
format: $(SETUP_STAMP) ## Format the code
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

.PHONY: generate
generate: $(SETUP_STAMP) ## Write what is generated from the models
	@$(PYTHON) scripts/generate.py

.PHONY: lock
lock: $(SETUP_STAMP) ## Pin the dependencies of pyproject.toml, with hashes, in requirements/
	@scripts/lock

.PHONY: cluster-up
cluster-up: $(SETUP_STAMP) ## Start the local Kubernetes and object storage
	@$(CLUSTER) up

.PHONY: cluster-down
cluster-down: $(SETUP_STAMP) ## Stop them, and keep their data
	@$(CLUSTER) down

.PHONY: cluster-delete
cluster-delete: $(SETUP_STAMP) ## Stop them and erase their data
	@$(CLUSTER) delete

.PHONY: cluster-status
cluster-status: $(SETUP_STAMP) ## Show what runs
	@$(CLUSTER) status

.PHONY: kubeconfig
kubeconfig: ## Print the path of the local cluster's kubeconfig (with make -s: nothing else)
	@$(MAKE) --silent $(SETUP_STAMP) >&2
	@$(CLUSTER) kubeconfig

.PHONY: images
images: $(SETUP_STAMP) ## Build the images and load them into the local cluster
	@$(CLUSTER) build-images

.PHONY: deploy
deploy: ## Install into the cluster of the current kubeconfig: OPERATOR_IMAGE=… ANALYZER_IMAGE=… GATEWAY_IMAGE=…
	@scripts/deploy

.PHONY: undeploy
undeploy: ## Uninstall from the cluster of the current kubeconfig; the analyses stay
	@scripts/deploy --uninstall

# Everything is done by tools/, which the system's Python runs: make PYTHON=python3.12 ... names another one.
PYTHON ?= python3
# Arguments for pytest: make test ARGS="tests/tools -k cache"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: demo test test-long test-cluster lint bench docs cluster-up cluster-down aws-up aws-down clean help
# One target at a time: each uses what the other processors could give.
.NOTPARALLEL:

demo: ## Provision an environment on this machine with Pulumi and run a real flow in it
	@$(PYTHON) -m tools.demo

test: ## Run the tests; ARGS="..." are pytest's
	@$(PYTHON) -m tools.run_tests $(ARGS)

test-long: ## Run the tests that go through many faults and moments; ARGS="..." are pytest's
	@$(PYTHON) -m tools.run_tests --long $(ARGS)

test-cluster: ## Run the tests that need Kubernetes, on a cluster of their own; ARGS="..." are pytest's
	@$(PYTHON) -m tools.run_cluster_tests $(ARGS)

lint: ## Check the code: ruff, mypy, import-linter, generated files, workflows
	@$(PYTHON) -m tools.lint

bench: ## Measure Penstock against its alternatives on this machine
	@$(PYTHON) -m tools.setup --with prefect --with bench --with dask-kubernetes
	@.venv/bin/python -m tests.bench

docs: ## Generate what is generated: reference pages and schemas
	@$(PYTHON) -m tools.setup
	@.venv/bin/python -m tools.generate

cluster-up: ## Start a Kubernetes cluster with this checkout's images; prints the path of its kubeconfig
	@$(PYTHON) -m tools.ready_cluster

cluster-down: ## Remove that cluster and all that it has left
	@$(PYTHON) -m tools.cluster down

aws-up: ## Start an AWS of this machine to try Penstock on, without an account; prints the path of a file for your shell
	@$(PYTHON) -m tools.aws up

aws-down: ## End that AWS and all that runs on it
	@$(PYTHON) -m tools.aws down

clean: cluster-down aws-down ## Remove all that was made in this checkout, the demo's state included; not the tools in the user's cache
	@rm -rf .venv .penstock dist build .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The words of the project; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# e.g. make train ARGS="model.channels=256 noise=uniform"
ARGS ?=
LOGDIR ?= runs
# of make gpu
OUT ?= runs/gpu
DEVICE ?= gpu
# of make test-profile: a line of JSON for each test
PROFILE ?= runs/test_profile.jsonl

.PHONY: help setup train test test-quick test-matrix test-profile test-slow mutants coverage test-gpu test-cluster test-faults test-rest lint audit types docs fmt golden gpu bench bench-pool tensorboard build lock clean

help: ## list these
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready ## create .venv with everything at the versions of requirements.lock

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than 3.11: name a newer one, as in make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) lacks venv: install Debian's package python3-venv (apt install python3-venv), then try again"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo "Installing into .venv (PyTorch with its GPU libraries: about 7 GB) ..."
	@# compiled now: where PYTHONDONTWRITEBYTECODE is set, each command would compile 20,000 files, for 11 s
	@VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --compile-bytecode requirements.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q cgan_lightning hydra_plugins
	@touch $@

train: setup ## train the default model (2 epochs where there is no GPU); ends with a run folder and a sample grid
	@if $(BIN)/python -c 'import sys, torch; sys.exit(torch.cuda.is_available())'; then \
	  short=trainer.max_epochs=2; \
	  echo "No GPU here: a short run of 2 epochs (all 25: make train ARGS=trainer.max_epochs=25)"; \
	fi; $(BIN)/python -m cgan_lightning.train resume=auto $$short $(ARGS)

# a thread each: workers that share cores are slower with more; compiled files are kept, whatever the environment says
PYTEST = PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

# memory of a MB or more goes back to the system as soon as it is freed (glibc): less of it, for more time
FRUGAL = MALLOC_MMAP_THRESHOLD_=1000000

test: setup ## the tests that answer in minutes
	@$(FRUGAL) $(PYTEST) $(ARGS)

test-quick: setup ## those of them that neither train nor start a process nor take long, without samples of many cases: before each commit
	@$(PYTEST) -m "not training and not process and not long and not sampled and not matrix and not slow and not cluster and not faults and not gpu" $(ARGS)

test-matrix: setup ## more cases: ranks, malicious files, kills and stops, sweeps, reports, all that make test samples
	@$(PYTEST) -m matrix $(ARGS)

test-slow: setup ## the tests that need a browser, or minutes
	@# files whole: a page or a wheel is made once, not in each worker; three at a time: some wait for a browser
	@$(PYTEST) -n 3 --dist loadfile -m slow $(ARGS)

test-profile: setup ## what each test file of `make test` spends, as a table
	@mkdir -p $(dir $(PROFILE)) && rm -f $(PROFILE); status=0; \
	CGAN_TEST_PROFILE=$(abspath $(PROFILE)) $(FRUGAL) $(PYTEST) -p tests.helpers.profile $(ARGS) || status=$$?; \
	$(BIN)/python -m tests.helpers.profile $(PROFILE); exit $$status

test-gpu: setup ## the tests that need a GPU
	@$(BIN)/python -m pytest -m gpu tests/gpu $(ARGS)

test-cluster: setup ## the tests on a SLURM cluster that they start on this machine
	@# three at a time, each on a cluster of its own: they often wait
	@$(BIN)/python -m pytest -m cluster -n 3 --dist worksteal tests/cluster $(ARGS)

test-faults: setup ## kills, full disks, damaged files: what is lost by them
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m faults -n auto --maxprocesses 4 --dist worksteal tests/faults $(ARGS)

test-rest: setup ## matrix, slow, cluster and faults in one: three tests at a time, of which some wait while others compute
	@$(PYTEST) -n 3 -m "matrix or slow or cluster or faults" $(ARGS)

mutants: setup ## whether the tests would notice faults: 420 of them, one at a time (one to two hours; goes on after a stop)
	@OMP_NUM_THREADS=1 CUDA_VISIBLE_DEVICES= $(BIN)/python -m experiments.mutants $(ARGS)

coverage: setup ## lines and branches of the package that `make test` reaches in its own process
	@status=0; OMP_NUM_THREADS=1 $(BIN)/coverage run --branch --source cgan_lightning -m pytest -q $(ARGS) || status=$$?; \
	$(BIN)/coverage report --skip-covered; exit $$status

lint: setup ## ruff, formatting and import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

audit: setup ## known vulnerabilities in the versions of requirements.lock; apart from lint, as it asks the network
	@$(BIN)/pip-audit --requirement requirements.lock --no-deps --disable-pip --strict --progress-spinner off \
	  || { echo "Not all is well: a version above has a known flaw, or the service could not be asked about it"; exit 1; }

types: setup ## pyright
	@$(BIN)/pyright

docs: setup ## build the documentation as a site: open site/index.html
	@# without --quiet: strict mode counts only warnings that are logged
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

fmt: setup ## format, and mend what ruff can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

golden: setup ## rewrite tests/golden after a change that is meant to change numbers
	@$(BIN)/python -m tests.golden.record

bench: setup ## images/s of a plain script and of this project, in turn
	@$(BIN)/python -m experiments.bench.speed $(ARGS)

gpu: setup ## all that a GPU has to show, in nine minutes: make gpu OUT=folder (DEVICE=cpu: the same in small)
	@$(BIN)/python -m experiments.gpu $(OUT) --device $(DEVICE) $(ARGS)

bench-pool: setup ## images/s of a whole sweep, several jobs at a time on each device
	@$(BIN)/python -m experiments.bench.pool $(ARGS)

tensorboard: setup ## look at the runs in a browser, on this machine alone
	@# it keeps ten pictures a tag otherwise; 0, documented as "all", shows none in TensorBoard 2.21
	@$(BIN)/tensorboard --logdir $(LOGDIR) --host 127.0.0.1 --samples_per_plugin images=1000 $(ARGS)

build: setup ## the wheel and the source archive, in dist/
	@$(BIN)/python -m build --no-isolation --outdir dist .

lock: ## requirements.lock anew, from pyproject.toml
	@VIRTUAL_ENV=.venv $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url \
	  --all-extras --no-header --no-annotate pyproject.toml -o requirements.lock

clean: ## remove what was built and installed; runs/ stays
	@rm -rf .venv build dist site .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# make: set everything up and run the main job; make test; make lint. Needs Python 3.11 or newer, git and make.

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
READY := .venv/requirements.lock

.PHONY: all test test-slow benchmark lint format lock clean

all: $(READY)
	@$(BIN)/snakemake --cores $(CORES)
	@echo "Tables: results/tables   figures: results/figures   every number: results/scores.csv"

test: $(READY)
	$(BIN)/python -m pytest -q -n 2

# Full-size checks; they need the paper's test images in a folder: make test-slow IMAGES=folder
test-slow: $(READY)
	PRIORBENCH_IMAGES="$(IMAGES)" $(BIN)/python -m pytest -q -m slow -rs

# Seconds an iteration of the deep image prior, against the textbook's network: about 25 minutes on two cores.
benchmark: $(READY)
	$(BIN)/python -m steps.benchmark

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

$(READY): requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "priorbench needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	cp requirements.lock $(READY)

# Pins anew, to the newest versions that pyproject.toml allows.
lock:
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $$($(PYTHON) -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*p["dependencies"], *p["optional-dependencies"]["dev"])')
	$(BIN)/python -m pip freeze --all | grep -viE '^(pip|setuptools|wheel)==' | sed 's/+cpu$$//' > requirements.lock
	cp requirements.lock $(READY)

clean:
	find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake .venv

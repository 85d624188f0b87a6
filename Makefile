# make: set everything up and run the embedded default; make try; make test; make lint; make docs. Needs Python 3.11 or
# newer, git and make.

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
READY := .venv/requirements.lock
CONFIG ?= config/paper.yaml
CELLS ?= cells.tar.gz
PAGE ?= docs/paper.md

# A line for each recovery with the time left; the rest of what Snakemake says is in its log file.
RUN = PRIORBENCH_PROGRESS=1 $(BIN)/python -m snakemake --cores $(CORES)

PICTURE ?= skimage:camera

IMAGE_DIRS = $(if $(IMAGES),image_dirs='["$(subst ','\'',$(IMAGES))"]')

.PHONY: all try docs paper paper-cpu record paper-page status verify \
  cluster test lowest test-slow stress benchmark cells adopt lint format lock clean

all: $(READY)
	@$(RUN)
	@echo "All of it: results/index.html   in one file: results/report.html   to look at: results/pages"

# One picture by the quick methods, at once: make try PICTURE=photo.jpg
try: $(READY)
	@$(BIN)/python -m steps try "$(PICTURE)"

# The documentation site, in the folder site: first a small run that its gallery and its comparison page show. Once its
# packages are there, in a folder of their own, it needs no network.
docs: .mkdocs/requirements-docs.lock
	@$(RUN) --configfile config/site.yaml --directory .site
	@PYTHONPATH="$(CURDIR)/.mkdocs" NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo "To be opened: site/index.html"

.mkdocs/requirements-docs.lock: requirements-docs.lock | $(READY)
	rm -rf .mkdocs
	$(BIN)/python -m pip install --quiet --no-deps --target .mkdocs --requirement requirements-docs.lock
	cp requirements-docs.lock .mkdocs

# The paper at full size, hours on a GPU, days on two cores: of what neither results nor the record has, then tables and
# figures of what is here, the rest marked "not run". IMAGES is a folder that may have its test images.
CELLS_OF_PAPER = $(BIN)/python -m steps cells config/paper.yaml
MAKE_CELLS = if [ -n "$$cells" ]; then $(RUN) --keep-going $$(echo "$$cells" | sort -u) \
	  --configfile config/paper.yaml $(if $(IMAGES),--config $(IMAGE_DIRS)); fi
SHOW_CELLS = if [ -n "$$(find results -name score.json -print -quit)" ]; then \
	  $(RUN) --configfile config/paper.yaml --config missing=skip $(IMAGE_DIRS); fi
paper: $(READY)
	cells=$$($(CELLS_OF_PAPER)) && { $(MAKE_CELLS); }; made=$$?; { $(SHOW_CELLS); } && exit $$made

# What two cores can do of it, in some five hours: all classical cells, the prior on small images (of those, ONLY="--seed 0"
# makes the first seed).
paper-cpu: $(READY)
	cells=$$($(CELLS_OF_PAPER) --method wiener --method tv --method nlm --method bm3d_package \
	  && $(CELLS_OF_PAPER) $(ONLY) --image cameraman --image house --image barbara --image stanford_logo \
	  && $(CELLS_OF_PAPER) $(ONLY) --experiment figure2_small) && { $(MAKE_CELLS); }; made=$$?; { $(SHOW_CELLS); } && exit $$made

# Snakemake's plugins for clusters, in a folder of their own, since each start of Snakemake would ask Slurm; docs/cluster.md.
cluster: .plugins/requirements-cluster.lock
	@echo 'Now: export PYTHONPATH="$(CURDIR)/.plugins"; $(BIN)/python -m snakemake --profile profiles/slurm'

.plugins/requirements-cluster.lock: requirements-cluster.lock $(READY)
	rm -rf .plugins
	$(BIN)/python -m pip install --quiet --no-deps --target .plugins --requirement requirements-cluster.lock
	cp requirements-cluster.lock .plugins

# The numbers of what is finished here, into the file that the config's key `record` names: commit it, and a run spread over
# days and machines loses nothing (docs/paper_in_full.md).
record: $(READY)
	$(BIN)/python -m steps record $(CONFIG) $(if $(FROM),--from "$(FROM)")

# docs/paper.md and the pages in docs/paper, of the record alone, within a minute.
paper-page: $(READY)
	$(BIN)/python -m steps paper $(CONFIG) $(PAGE)

# What the next run would do and why, in words: make status CONFIG=my.yaml
status: $(READY)
	@$(BIN)/python -m steps status $(if $(filter command environment,$(firstword $(origin CONFIG))),$(CONFIG))

# Whether the files in results are as the run made them
verify: $(READY)
	@$(BIN)/python -m steps verify

test: $(READY)
	$(BIN)/python -m pytest -q -n 2

# The contract with Snakemake, by the oldest that pyproject.toml allows (which, unlike later ones, needs appdirs).
LOWEST = snakemake==$$(sed -n 's/.*"snakemake>=\([0-9.]*\),.*/\1/p' pyproject.toml).0
lowest: $(READY)
	rm -rf .lowest
	@if $(BIN)/python -m pip install --quiet --no-deps --target .lowest $(LOWEST) appdirs; then \
	  PYTHONPATH="$(CURDIR)/.lowest" $(BIN)/python -m pytest -q tests/run/test_engine.py tests/run/test_cluster.py; \
	else echo "The oldest Snakemake could not be installed: not tested with it"; fi
	rm -rf .lowest

# Full-size checks; they need the paper's test images in a folder: make test-slow IMAGES=folder
test-slow: $(READY)
	PRIORBENCH_IMAGES="$(IMAGES)" $(BIN)/python -m pytest -q -m slow -rs

# A run killed 24 times at random moments, and gone on with; some minutes.
stress: $(READY)
	$(BIN)/python -m pytest -q -m slow tests/test_faults.py

# All tables of steps/benchmarks, hours; one: .venv/bin/python -m steps benchmark NAME (bm3d, gpu, iteration, quality, threads).
benchmark: $(READY)
	$(BIN)/python -m steps benchmark

# A bundle of recoveries to make elsewhere (docs/elsewhere.md): make cells ONLY="--method dip" IMAGES=folder
cells: $(READY)
	measurements=$$($(BIN)/python -m steps cells $(CONFIG) $(ONLY) --measurements) && \
	if [ -n "$$measurements" ]; then $(RUN) $$measurements \
	  --configfile $(CONFIG) $(if $(IMAGES),--config $(IMAGE_DIRS)); fi
	$(BIN)/python -m steps cells $(CONFIG) $(CELLS) $(ONLY)

# Brings them back, as packs or as a folder with results: make adopt FROM=folder
adopt: $(READY)
	$(BIN)/python -m steps adopt $(CONFIG) "$(FROM)"

lint: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m snakefmt --check Snakefile workflow
	$(BIN)/python -m snakemake --lint

format: $(READY)
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .
	$(BIN)/python -m snakefmt Snakefile workflow

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
	$(BIN)/python -m pip install --quiet --target .plugins --upgrade $$($(PYTHON) -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; print(*p["slurm"], *p["cluster"])')
	$(BIN)/python -m pip freeze --path .plugins | grep '^snakemake.executor.plugin' > requirements-cluster.lock
	rm -rf .plugins
	$(BIN)/python -m pip install --quiet --target .mkdocs --upgrade $$($(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"])')
	$(BIN)/python -m pip freeze --path .mkdocs | grep -viE "^($$(sed 's/==.*//' requirements.lock | paste -sd '|' -))==" > requirements-docs.lock
	rm -rf .mkdocs

clean:
	find results -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf .snakemake .venv .plugins .mkdocs .site site

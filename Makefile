.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# The first time pip's own lines are shown, since it may take minutes; later the list of what is there already is left out.
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check $(if $(wildcard $@),--quiet)
COMPILING := @echo "pip installs what is needed in .venv and, where there is a C compiler, compiles the engine: one to four minutes."
BIOME := npx --yes @biomejs/biome@2.6.8 check --error-on-warnings
PYTEST := $(BIN)/python -m pytest -n logical --dist=worksteal
COVERAGE ?= $(shell $(BIN)/python -c "import sys; print('--cov' if sys.version_info >= (3, 12) else '')")
ENGINE := setup.py $(addprefix autograd/,floats.py primitives.py trees.py value.py tape.py calculus/recorded_slopes.py calculus/reverse_and_forward.py native/languages.py native/c_rules.py native/loops.py programs/scanning.py programs/execution.pyx) $(wildcard autograd/*.pxd autograd/*/*.pxd autograd/*.h autograd/native/*.h autograd/native/*.c)

help: ## show what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: .venv/demo ## print the worked example with every number, and draw it
	$(BIN)/stepgrad

page: .venv/demo ## write the live pages into pages/, and open the article in a browser
	$(BIN)/stepgrad page
	$(BIN)/python -m webbrowser "file://$(CURDIR)/pages/article.html"

lab: .venv/lab ## open the notebooks in JupyterLab; LAB=--no-browser and the like
	$(BIN)/python -m jupyterlab $(LAB) notebooks

# Each worker rewrites the asserts of all tests, which takes it 8 s, unless it finds the bytecode of an earlier one.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/tools ## run the tests, with the compiled engine and with the plain one
	$(PYTEST)
	STEPGRAD_ENGINE=plain $(PYTEST) $(COVERAGE) -m 'not engine_independent'

check: lint types docs test ## everything that must pass before a commit

lint: .venv/tools ## look for mistakes of style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@if command -v npx >/dev/null; then echo $(BIOME); cd autograd/views/live_page && $(BIOME); \
	else echo "the scripts and styles of the live page are not looked at: there is no npx, which comes with Node.js"; fi

types: .venv/tools ## check the types
	$(BIN)/mypy

docs: .venv/tools ## build the documentation, into build/docs/index.html, and look at its pages
	$(BIN)/python -m sphinx --quiet --fresh-env --nitpicky --fail-on-warning --keep-going docs build/docs
	$(BIN)/python -m pytest -o addopts=--import-mode=importlib tests/test_documentation.py

bench: .venv/tools ## measure the speed beside micrograd, PyTorch, JAX, CasADi and C, and the live page
	$(INSTALL) --editable '.[bench]'
	$(BIN)/python tests/benchmarks/speed.py
	$(BIN)/python tests/benchmarks/processes.py
	$(BIN)/python tests/benchmarks/depth.py
	$(BIN)/python tests/benchmarks/views.py
	$(BIN)/python tests/benchmarks/derivatives.py
	$(BIN)/python tests/benchmarks/live_page.py
	$(BIN)/python -m tests.benchmarks.programs
	$(BIN)/python -m tests.benchmarks.adbench

compare: .venv/tools ## time two dozen workloads beside another commit, BASE=…; an error beyond 1.1 of its time
	$(BIN)/python -m tests.benchmarks.compare $(BASE) $(ROWS)

notebooks: .venv/tools ## run the notebooks and keep their outputs
	$(BIN)/python tests/test_notebooks.py

pictures: .venv/tools ## make the pictures of README again, and the page that it links to
	$(BIN)/python -m tests.test_pictures

native: .venv/tools ## compile the engine, whatever there was before
	$(COMPILING)
	$(INSTALL) --force-reinstall --no-deps --editable .
	$(BIN)/python -m autograd

.venv/python:
	$(PYTHON) -m venv .venv
	touch $@

.venv/demo: .venv/python pyproject.toml $(ENGINE)
	$(COMPILING)
	$(INSTALL) --editable .
	touch $@

.venv/lab: .venv/python pyproject.toml $(ENGINE)
	$(COMPILING)
	$(INSTALL) --editable '.[notebooks]'
	touch $@ .venv/demo

.venv/tools: .venv/python pyproject.toml $(ENGINE)
	$(COMPILING)
	$(INSTALL) --editable '.[test,check,docs]'
	touch $@ .venv/demo

.PHONY: help demo page lab test check lint types docs bench compare notebooks pictures native

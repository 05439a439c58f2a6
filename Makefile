# Everything runs in the project's own environment, .venv, which the first command makes. `make help` lists the targets.

VENV   ?= .venv
PYTHON := $(VENV)/bin/python
READY  := $(VENV)/.ready
JOBS   ?= 2
PAGES  ?=

export OMP_NUM_THREADS := 1
export PYTHONPATH := $(CURDIR):$(CURDIR)/book/_ext

SPHINX = $(PYTHON) -m sphinx -E -W --keep-going -q -d _build/.doctrees $(SPHINXOPTS)
SITE   ?= _site
STAMPED = $(SPHINX) -d _build/site/.doctrees -D book_repository=$(REPOSITORY)

.DEFAULT_GOAL := help
.PHONY: book serve notebooks check-notebooks outputs test student lint coverage bench mutate site links clean help

book: outputs  ## run what changed, build the HTML book, say where it is (PAGES=book/principles/role runs only that page)
	@$(SPHINX) -b html . _build/html || { rm -rf _build/.doctrees; exit 1; }
	@echo "The book is in $(CURDIR)/_build/html"
	@echo "Open it with: make serve   (or open _build/html/index.html in a browser)"

serve: book  ## build the book and serve it on http://localhost:8000
	@echo "Serving on http://localhost:8000 (stop with Ctrl-C)"
	@$(PYTHON) -m http.server --directory _build/html --bind 127.0.0.1 8000

notebooks: outputs  ## write book/notebooks/en, the notebooks for Jupyter and Colab
	@rm -rf _build/notebooks
	@$(SPHINX) -b notebooks . _build/notebooks || { rm -rf _build/.doctrees; exit 1; }
	@$(PYTHON) tools/notebooks.py

check-notebooks: outputs  ## tell whether book/notebooks/en is what the pages give now
	@rm -rf _build/notebooks
	@$(SPHINX) -b notebooks . _build/notebooks || { rm -rf _build/.doctrees; exit 1; }
	@$(PYTHON) tools/notebooks.py --check

outputs: $(READY)
	@$(PYTHON) tools/configure.py
	@$(PYTHON) tools/execute.py --jobs $(JOBS) $(PAGES)

test: $(READY)  ## prove that the book is right: unit tests, build, notebooks, built pages
	$(PYTHON) tools/run_tests.py

student: $(READY)  ## write the exercises to hand out, without solutions: make student EXERCISES="gce two-scores" STUDENT_PYTHON=python3.12
	@$(PYTHON) tools/student.py $(EXERCISES) $(if $(STUDENT_PYTHON),--python $(STUDENT_PYTHON))

lint: $(READY)  ## check style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

coverage: $(READY)  ## measure which branches of losscore the tests take, and list those that they don't
	$(PYTHON) -m pytest -q -n $(JOBS) --dist worksteal --ignore tests/book --cov=losscore --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=98

bench: $(READY)  ## time and memory of every loss against torch, the naive formula and peers: make bench ARGS="brier --runs 3"
	@MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=8589934592 $(PYTHON) benchmarks/run.py $(ARGS)

mutate: $(READY)  ## change the losses one node at a time and show that the tests notice: make mutate ARGS=huber
	@$(PYTHON) tools/mutate.py $(ARGS)

site: outputs  ## assemble what is published: make site REPOSITORY=https://github.com/OWNER/NAME
	@test -n "$(REPOSITORY)" || { echo "error: make site needs REPOSITORY=https://github.com/OWNER/NAME" >&2; exit 2; }
	@rm -rf $(SITE) _build/site/html _build/site/notebooks
	@$(STAMPED) -b html . _build/site/html
	@$(STAMPED) -b notebooks . _build/site/notebooks
	@cp -r _build/site/html $(SITE)
	@rm -rf $(SITE)/notebooks && mkdir $(SITE)/notebooks
	@cp -r _build/site/notebooks/book $(SITE)/notebooks/en
	@$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir $(SITE) .
	@touch $(SITE)/.nojekyll
	@echo "The site is in $(SITE)"

links: outputs  ## ask the network whether the book's links to other sites still work
	@$(SPHINX) -b linkcheck . _build/linkcheck

$(READY): requirements.txt requirements-data.txt
	@sh tools/environment.sh $(VENV)
	@touch $(READY)

clean:  ## remove everything that was generated (the environment stays)
	rm -rf _build _site _student conf.py .pytest_cache

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | awk -F ':.*  ## ' '{printf "make %-16s %s\n", $$1, $$2}'

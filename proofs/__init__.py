"""Formal proofs of the gateware: `python -m proofs` (see docs/proofs.md)."""

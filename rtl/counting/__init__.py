"""Counters of ones: planned as integers, written in a family's cells (docs/popcount.md)."""

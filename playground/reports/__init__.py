"""Conformance reports in the product: stored, run in the background, sent as runs of the log."""

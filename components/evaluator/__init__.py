"""Metrics by label, the blessing rules and what they decided."""

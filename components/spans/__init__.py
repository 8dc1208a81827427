"""Spans that ingest wrote, windows over them, and the node that brings what is in them."""

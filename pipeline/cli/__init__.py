"""The `posters` command line: one module a verb."""

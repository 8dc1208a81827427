"""The DAG, its typed configuration, its runners and the `posters` command line."""

__version__ = "0.1.0"

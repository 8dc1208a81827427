"""The DAG, its typed configuration, its runners and the `posters` command line."""

from components import __version__

__all__ = ["__version__"]

"""The configurations that come with the project, one a use; `--config NAME` finds them here."""

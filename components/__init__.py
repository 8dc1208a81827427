"""What this project adds to TFX: ingest, and the code that its nodes call."""

#: The version of the whole project; stands in what it writes.
__version__ = "0.1.0"

"""What this project adds to TFX: ingest, and the code that its nodes call."""

"""The curated schema of the examples, kept beside the code that trusts it."""

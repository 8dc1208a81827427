"""What a server is asked about, kept as embeddings and scores to compare with training data."""

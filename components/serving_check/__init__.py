"""Proof before the push: the model serves where nothing of this project is."""

"""A run as one page for people: what it measured, decided and pushed, and from which data."""

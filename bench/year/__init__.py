"""A simulated year of weekly spans and of what `posters retrain` makes of each."""

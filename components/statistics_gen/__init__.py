"""Statistics of the examples: with Beam where it has workers, without where it has none."""

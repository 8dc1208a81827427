"""Whether to train again: from facts about data and served model to a decision with reasons."""

"""The Tuner node: tries the Trainer's settings on cached features and hands on the best."""

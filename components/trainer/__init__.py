"""The Trainer node: features once, a head on them, calibrated and exported as one model."""

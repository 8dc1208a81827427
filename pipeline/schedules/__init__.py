"""Schedules of retraining: when, in words that every scheduler understands, and on this machine."""

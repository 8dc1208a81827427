"""Predictions of many posters: a Beam pipeline that goes on where it was cut off."""

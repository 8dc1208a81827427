"""Decode, resize and multi-hot: the Transform node."""

"""Predictions as a node of the DAG."""

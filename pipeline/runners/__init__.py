"""Where the DAG runs: one module a runner."""

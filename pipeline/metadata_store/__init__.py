"""The store of runs and artifacts that runs on this machine share: a file, or a server."""

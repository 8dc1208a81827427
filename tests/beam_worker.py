"""A Beam worker in a process of its own, for a machine without credentials: see `gcs_server`."""

import sys

from apache_beam.runners.worker import sdk_worker_main

from tests import gcs_server

if __name__ == "__main__":
    gcs_server.skip_credentials()
    sdk_worker_main.main(sys.argv)

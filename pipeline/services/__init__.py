"""The services that compiled jobs are sent to. Their client libraries are imported only here."""

"""The one kind of error that a person can mend."""


class PostersError(Exception):
    """Bad input, configuration or environment.

    The message names the file, row or field, what was found there, and what to do next.
    The command line prints it without a traceback and exits with status 1.
    """

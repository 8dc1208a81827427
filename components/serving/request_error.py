"""What a client did wrong, or cannot have now, as an HTTP status and a sentence."""

from __future__ import annotations


class RequestError(Exception):
    """Answered in TensorFlow Serving's form: `{"error": "<sentence>"}`."""

    def __init__(self, status: int, sentence: str) -> None:
        """Takes an HTTP status, 4xx or 503, and what to tell the client."""
        super().__init__(sentence)
        self.status = status

"""Downloading images: over http and https only, with limits, and each address once.

What was downloaded is kept by address, so that an ingest that was cut short goes on where it
stopped, and a repeated one sees the same images.
"""

from __future__ import annotations

import hashlib
import http.client
import random
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator

import requests

from components.files import write_bytes
from components.ingest.decode import Fault
from components.ingest.options import IngestOptions
from components.ingest.rejection import Reason, excerpt
from components.paths import AnyPath

_MAX_REDIRECTS = 5
_CHUNK_BYTES = 1 << 16
#: Answers that may be others the next time.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Seconds before the second try; each further one waits twice as long, up to the most.
_FIRST_WAIT, _MOST_WAIT = 0.5, 30.0
#: Content that still arrives so many times `download_timeout` after its try began is given up.
_WHOLE_TRY = 10
_HEADERS = {
    "User-Agent": "poster-pipeline (image ingest)",
    "Accept": "image/*,*/*;q=0.5",
    "Accept-Encoding": "identity",  # so that the length announced is the image's
}


class _Passing(Exception):
    """A try failed in a way that another may not: what happened, and seconds to wait at least."""

    def __init__(self, detail: str, wait: float = 0.0) -> None:
        super().__init__(detail)
        self.wait = wait


class Downloader:
    """Downloads into a cache; may be used by many threads at once.

    Args:
      cache: folder of what was downloaded, seen by every worker.
      options: limits and retries.
      sleep: waits for so many seconds; tests pass another.
    """

    def __init__(
        self, cache: AnyPath, options: IngestOptions, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._cache = cache
        self._options = options
        self._sleep = sleep
        self._local = threading.local()

    def path_of(self, url: str) -> AnyPath:
        """Where the content of an address lies or will lie."""
        name = hashlib.sha256(url.encode("utf-8")).hexdigest()
        return self._cache / name[:2] / name

    def fetch(self, url: str) -> bytes:
        """The content at an address, from the cache if it is there.

        Raises:
          Fault: it is no address to download from, or cannot be downloaded.
          OSError: the cache cannot be written.
        """
        path = self.path_of(url)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            content = self._fetch(url)
            write_bytes(path, content)
            return content

    def _fetch(self, url: str) -> bytes:
        tries = self._options.download_tries
        for attempt in range(tries):
            try:
                return self._try(url)
            except _Passing as error:
                if attempt + 1 == tries:
                    detail = f"{excerpt(url)}: {error}, {tries} times"
                    raise Fault(Reason.DOWNLOAD_FAILED, detail) from error
                wait = min(_FIRST_WAIT * 2**attempt, _MOST_WAIT)
                # Jitter: many workers turned away together should not come back together.
                self._sleep(max(random.uniform(wait / 2, wait), min(error.wait, _MOST_WAIT)))
        raise AssertionError("download_tries is at least 1")

    def _try(self, url: str) -> bytes:
        deadline = time.monotonic() + _WHOLE_TRY * self._options.download_timeout
        address = url
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                _check_address(address, url)
                with self._session().get(
                    address,
                    headers=_HEADERS,
                    stream=True,
                    allow_redirects=False,
                    timeout=self._options.download_timeout,
                ) as answer:
                    if not answer.is_redirect:
                        return self._read(url, answer, deadline)
                    address = urllib.parse.urljoin(address, answer.headers["location"])
        except requests.exceptions.InvalidHeader as error:  # a ValueError too, but of the answer
            raise _Passing(_in_words(error)) from error
        except ValueError as error:  # of an address: those of requests, urllib3, urllib and idna
            raise Fault(Reason.BAD_URL, f"{excerpt(url)}: {excerpt(str(error))}") from error
        except requests.RequestException as error:
            raise _Passing(_in_words(error)) from error
        raise Fault(Reason.DOWNLOAD_FAILED, f"{excerpt(url)}: more than {_MAX_REDIRECTS} redirects")

    def _read(self, url: str, answer: requests.Response, deadline: float) -> bytes:
        status = answer.status_code
        if status in _PASSING:
            raise _Passing(f"the server answers {status}", _seconds(answer))
        if status != requests.codes.ok:
            raise Fault(Reason.DOWNLOAD_FAILED, f"{excerpt(url)}: the server answers {status}")
        limit = self._options.max_image_bytes
        announced = answer.headers.get("Content-Length", "")
        length = int(announced) if announced.isascii() and announced.isdigit() else None
        content = bytearray()
        if length is None or length <= limit:
            for chunk in _chunks(answer):
                content += chunk
                if len(content) > limit:
                    break
                if time.monotonic() > deadline:
                    raise _Passing("it takes too long")
        if len(content) > limit or (length is not None and length > limit):
            detail = f"{excerpt(url)}: more than {limit} bytes (ingest.max_image_bytes)"
            raise Fault(Reason.TOO_LARGE, detail)
        if length is not None and len(content) < length:
            raise _Passing(f"it ends after {len(content)} of {length} bytes")
        return bytes(content)

    def _session(self) -> requests.Session:
        """One a thread: a session keeps connections open and is not made for several."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        return self._local.session


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """The content as it arrives.

    `iter_content` would wait until a chunk is full, for as long as a server trickles.
    """
    read = getattr(answer.raw, "read1", None) or answer.raw._fp.read1  # urllib3 2 has it, 1 not
    try:
        while chunk := read(_CHUNK_BYTES):
            yield chunk
    except TimeoutError as error:
        raise _Passing("the server does not answer in time") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Passing("no connection, or it broke off") from error
    answer.raw.release_conn()  # all was read: the next download may use the connection


def _check_address(address: str, url: str) -> None:
    try:
        parts = urllib.parse.urlsplit(address)
        good = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        where = "" if address == url else f" leads to {excerpt(address)}, which"
        detail = f"{excerpt(url)}{where} is no http or https address"
        raise Fault(Reason.BAD_URL, detail)


def _seconds(answer: requests.Response) -> float:
    """How long the server asks to wait; 0 if it does not say so in seconds."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _in_words(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "the server does not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection, or it broke off"
    return excerpt(str(error) or type(error).__name__)

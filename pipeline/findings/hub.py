"""The feature extractor: whether the configuration's handle can be loaded."""

from __future__ import annotations

import hashlib
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from components.trainer.extractor import EMBEDDED, is_remote, locate
from pipeline.findings import Finding, Status

REACH_SECONDS = 5
_NAME = "extractor"


def reach(url: str) -> str:
    """Asks for the head of `url` only; returns why it cannot be had, or an empty string."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=REACH_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        return f"the server answered {error.code} {error.reason}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def check_hub(
    handle: str | None, environment: Mapping[str, str], why_unreachable: Callable[[str], str]
) -> Finding:
    """Whether the feature extractor is there: a local folder, a cached download, or reachable.

    Args:
      handle: what the configuration names: a folder, an address, `embedded` or nothing.
      environment: environment variables.
      why_unreachable: like `reach`.
    """
    if handle is None:
        return Finding(_NAME, Status.OK, "the configuration names none")
    if handle == EMBEDDED:
        return _check_folder(str(locate(handle)))
    if handle.startswith(("http://", "https://")):
        return _check_address(handle, environment, why_unreachable)
    if is_remote(handle):
        return Finding(_NAME, Status.OK, f"{handle} was not looked at: it needs a cloud's library")
    return _check_folder(handle)


def cache_folder(handle: str, environment: Mapping[str, str]) -> Path:
    """Where tensorflow_hub keeps the download of an address; it names it by a hash."""
    default = Path(tempfile.gettempdir()) / "tfhub_modules"
    cache = Path(environment.get("TFHUB_CACHE_DIR") or default).expanduser()
    return cache / hashlib.sha1(handle.encode("utf-8")).hexdigest()


def is_saved_model(folder: Path) -> bool:
    """Whether a folder holds a SavedModel, in binary or in text form."""
    return any((folder / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt"))


def _check_folder(handle: str) -> Finding:
    folder = Path(handle).expanduser()
    if is_saved_model(folder):
        return Finding(_NAME, Status.OK, handle)
    found = f"{handle} {'has no saved_model.pb' if folder.is_dir() else 'is no folder'}"
    mend = "set trainer.hub_handle to a folder with saved_model.pb and variables/, or to an address"
    return Finding(_NAME, Status.FAIL, found, mend)


def _check_address(
    handle: str, environment: Mapping[str, str], why_unreachable: Callable[[str], str]
) -> Finding:
    cached = cache_folder(handle, environment)
    if is_saved_model(cached):
        return Finding(_NAME, Status.OK, f"{handle}, cached in {cached}")
    if cached.is_dir() and any(cached.iterdir()):
        # tensorflow_hub takes any folder of that name that is not empty for a finished download.
        found = f"{handle}: its cache {cached} is half filled"
        return Finding(_NAME, Status.FAIL, found, f"rm -r {cached}")
    reason = why_unreachable(handle + "?tf-hub-format=compressed")
    if not reason:
        return Finding(_NAME, Status.OK, f"{handle}, reachable; the first run downloads it")
    mend = (
        "set trainer.hub_handle to a local folder, or TFHUB_CACHE_DIR to a cache from a machine "
        f"that reaches it (it holds {cached.name}/saved_model.pb), or HTTPS_PROXY to your proxy"
    )
    return Finding(_NAME, Status.FAIL, f"{handle} is neither cached nor reachable: {reason}", mend)

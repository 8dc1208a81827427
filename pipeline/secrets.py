"""Finds what looks like a secret, so that none gets into a configuration.

A configuration is copied: into the summary of every run, into compiled jobs, ML Metadata and the
services' own pages. Passwords and keys have no place in it. What is found is never repeated.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.errors import PostersError

_WORDS = (
    r"password|passwd|pwd|passphrase|secret|token|"
    r"api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key|shared[_-]?key"
)
#: A name whose last word says that its value is a secret: `db_password`, not `password_file`.
_NAME = re.compile(rf"(?:^|[_.-])(?:{_WORDS})$", re.IGNORECASE)
#: Where a word of camel case begins: api|Key.
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

#: What is recognized by its own form, wherever it stands: in words, and its form.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")),
    ("the key file of a service account", re.compile(r'"private_key(_id)?"\s*:')),
    ("a password in an address", re.compile(r"\w://[^/\s:@]*:[^/\s@]+@")),
    # `--token=x`, `;Password=x` and `?api_key=x`, in options, connection strings and addresses.
    (
        "a value given to a name such as password or token",
        re.compile(rf"(?:^|[\s;&?,_-])(?:{_WORDS})\s?=\s?[^\s;&]", re.IGNORECASE),
    ),
    (
        "an Authorization header",
        re.compile(r"\bBearer (?=\S*\d)\S{16}|\bAuthorization: ?\w+ \S{8}", re.I),
    ),
    ("a signed address", re.compile(r"[?&](?:X-(?:Goog|Amz)-Signature|sig)=[\w%+/=-]{16,}")),
    ("a JSON web token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("an access key of Amazon", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("an API key of Google", re.compile(r"\bAIza[\w-]{35}")),
    ("an OAuth token of Google", re.compile(r"\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}")),
    ("a token of GitHub", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22}")),
    ("a token of GitLab", re.compile(r"\bglpat-[\w-]{20}")),
    ("a token of Hugging Face", re.compile(r"\bhf_[A-Za-z0-9]{30}")),
    # Whoever knows it may post.
    (
        "the address of a webhook that is its own password",
        re.compile(
            r"hooks\.slack\.com/\w+/\S{8}|discord(?:app)?\.com/api/webhooks/\d+/\S{8}|"
            r"\.webhook\.office\.com/\S{8}|chat\.googleapis\.com/v1/spaces/\S*[?&]key="
        ),
    ),
    ("a token of Slack", re.compile(r"\bxox[abeoprs]-[\w-]{10}")),
)


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that looks like a secret.

    Attributes:
      key: where it stands, dotted, without the value.
      what: what it looks like, in words.
    """

    key: str
    what: str


def find(value: Any, key: str = "") -> Iterator[Finding]:
    """Yields what looks like a secret in a value, however deep it lies.

    Args:
      value: text, a number, or mappings and sequences of them, as YAML and JSON have them.
      key: where the value stands.
    """
    if isinstance(value, Mapping):
        for name, item in value.items():
            inner = f"{key}.{name}" if key else str(name)
            if _is_secret_name(str(name)) and _is_given(item):
                yield Finding(inner, f"a value under the name {name}")
            else:
                yield from find(item, inner)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        yield from _find_in_options(value, key)
        for place, item in enumerate(value):
            yield from find(item, f"{key}.{place}")
    elif isinstance(value, str):
        what = next((words for words, form in _FORMS if form.search(value)), None)
        if what:
            yield Finding(key, what)


def check(values: Mapping[str, Any], source: str) -> None:
    """Refuses a configuration that holds what looks like a secret.

    Args:
      values: as they were read, before anything else looks at them.
      source: where they are from.

    Raises:
      PostersError: with the keys and what to do; the values are not repeated.
    """
    found = list(find(values))
    if not found:
        return
    lines = "\n".join(f"  {finding.key}: {finding.what}" for finding in found)
    raise PostersError(
        f"{source}: what looks like a secret must not stand in a configuration, which is copied "
        f"into summaries, logs and compiled jobs:\n{lines}\n"
        "Take it out. On a cluster give the right to the service account of the containers "
        "(kubeflow.service_account, vertex.service_account), or mount it from a secret manager; "
        "for a webhook name the environment variable that holds it (notify.webhooks); "
        "on this machine log in with the service's own client, or set the environment variable "
        "that it reads. If others could read the file, have the secret replaced."
    )


def _is_secret_name(name: str) -> bool:
    return bool(_NAME.search(_CAMEL.sub("_", name)))


def _is_given(value: Any) -> bool:
    """Whether a value is a text or a number, and not a switch or a section."""
    return bool(value) and isinstance(value, str | int | float) and not isinstance(value, bool)


def _find_in_options(options: Sequence[Any], key: str) -> Iterator[Finding]:
    """Command-line options whose value is an item of its own: `--password`, then what it is."""
    for place, (option, value) in enumerate(itertools.pairwise(options)):
        if not (isinstance(option, str) and option.startswith("-") and "=" not in option):
            continue
        if _is_secret_name(option) and _is_given(value) and not str(value).startswith("-"):
            yield Finding(f"{key}.{place + 1}", f"a value after the option {option}")

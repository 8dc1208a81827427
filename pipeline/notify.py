"""Tells webhooks and a command what came of a run or of a decision.

Whoever is told cannot make a run fail: what goes wrong is logged and said in one line.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from components.errors import PostersError
from components.json_numbers import without_nan
from components.progress import CONSOLE
from pipeline.config import Config
from pipeline.notify_config import Kind, NotifyConfig, Webhook
from pipeline.services import retry

if TYPE_CHECKING:
    from pipeline.summary import RunSummary

#: Grows when a reader of the JSON would have to change.
FORMAT = 1
#: Names what happened, for the command.
EVENT_VARIABLE = "POSTERS_EVENT"
_LOG = logging.getLogger(__name__)
_TOO_MANY = 429
#: Characters of what a command wrote that are shown.
_SHOWN = 200


class _NotTakenError(Exception):
    """A webhook did not take the event; `transient` if it may a little later."""

    def __init__(self, reason: str, transient: bool) -> None:
        super().__init__(reason)
        self.transient = transient


@dataclasses.dataclass(frozen=True)
class Event:
    """What somebody is told.

    Attributes:
      kind: see `Kind`.
      text: the same in a sentence; chats show it.
      run: the run's id, or None if there was none.
      spans: numbers of the spans that were trained on or looked at.
      macro_f1: of the model on the test split, or None.
      reasons: why, in sentences.
      pushed: folder of the pushed version, or None.
      page: the run's page, or None.
    """

    kind: Kind
    text: str
    run: str | None = None
    spans: Sequence[int] = ()
    macro_f1: float | None = None
    reasons: Sequence[str] = ()
    pushed: str | None = None
    page: str | None = None


def notify(
    config: Config, event: Event, sleep: Callable[[float], None] = time.sleep
) -> Sequence[str]:
    """Tells all that the configuration names, if it names the event.

    A webhook that cannot be reached, or answers with 429 or 5xx, is asked again.

    Args:
      config: its section `notify` says who; without one nobody is told.
      event: what happened.
      sleep: waits between two tries.

    Returns:
      What went wrong, a line each; all of it was printed and logged.
    """
    settings = config.notify
    if settings is None or event.kind not in settings.events:
        return ()
    content = json.dumps(payload(config, event), ensure_ascii=False).encode()
    tell = [lambda hook=hook: _post(hook, content, settings, sleep) for hook in settings.webhooks]
    if settings.command:
        tell.append(lambda: _run(settings, event, content))
    problems = [problem for told in tell if (problem := _guarded(told))]
    for problem in problems:
        _LOG.info("notify: %s", problem)
        CONSOLE.print(f"notify: {problem}", markup=False, soft_wrap=True)
    return problems


@contextlib.contextmanager
def telling_of_errors(config: Config) -> Iterator[None]:
    """Tells of what a person has to mend before a run can begin.

    Raises:
      PostersError: what the block raised.
    """
    try:
        yield
    except PostersError as error:
        notify(config, Event("failed", f"{config.name}: {error}", reasons=[str(error)]))
        raise


def payload(config: Config, event: Event) -> dict[str, Any]:
    """The JSON that is sent; docs/scheduling.md lists its keys."""
    now = datetime.datetime.now(datetime.timezone.utc)
    fields = {key: value for key, value in dataclasses.asdict(event).items() if key != "kind"}
    about = {"pipeline": config.name, "host": socket.gethostname(), "time": now.isoformat()}
    return without_nan({"format": FORMAT, "event": event.kind, **about, **fields})


def of_run(config: Config, summary: RunSummary, page: Path | None) -> Event:
    """What came of a run of the DAG on this machine."""
    kind = "blessed" if summary.status == "held" else summary.status
    verdict = summary.verdict
    reasons = list(verdict.reasons) if verdict else []
    if summary.serving:
        reasons += summary.serving.reasons
    words = {
        "pushed": f"pushed to {summary.pushed}",
        "blessed": "blessed, and waits for a person to push it",
        "refused": "model refused",
    }
    what = words.get(kind, kind)
    if kind == "failed":
        reasons = [summary.error] if summary.error else []
        what += f": {reasons[0].splitlines()[0]}" if reasons else ""
    macro_f1 = verdict.figures.get("macro_f1") if verdict else None
    figure = f", macro-F1 {macro_f1:.3f}" if macro_f1 is not None else ""
    return Event(
        kind=kind,
        text=f"{config.name}: {what}{figure} (run {summary.run_id})",
        run=summary.run_id,
        spans=[int(span["number"]) for span in summary.spans],
        macro_f1=macro_f1,
        reasons=reasons,
        pushed=summary.pushed,
        page=str(page) if page else None,
    )


def of_decision(config: Config, verdict: str, reasons: Sequence[str]) -> Event:
    """A decision that no run follows.

    Args:
      config: the checked configuration.
      verdict: `skip`, or else it was refused.
      reasons: sentences, what decided first.
    """
    kind, word = ("skipped", "not retrained") if verdict == "skip" else ("refused", "refused")
    why = f": {reasons[0]}" if reasons else ""
    return Event(kind, f"{config.name}: {word}{why}", reasons=reasons)


def _guarded(tell: Callable[[], str | None]) -> str | None:
    """What went wrong, or None."""
    try:
        return tell()
    except Exception as error:  # whatever it is, a run that is over must not fail by it
        _LOG.info("notify", exc_info=True)
        return f"{type(error).__name__} (see the log)"


def _post(
    hook: Webhook, content: bytes, settings: NotifyConfig, sleep: Callable[[float], None]
) -> str | None:
    # An address from a variable is a secret: its name is told.
    name = f"webhook {hook.url or hook.url_variable}"
    address = hook.url or os.environ.get(hook.url_variable)
    if not address:
        return f"{name}: the variable is not set, so nobody was told"
    tries = 0

    def post() -> None:
        nonlocal tries
        tries += 1
        _post_once(address, content, settings.timeout_seconds)

    try:
        retry.call(post, lambda error: getattr(error, "transient", False), sleep)
    except _NotTakenError as error:
        return f"{name}: {error}, {tries} {'tries' if tries > 1 else 'try'}"
    return None


def _post_once(address: str, content: bytes, seconds: float) -> None:
    import requests

    try:
        answer = requests.post(
            address,
            data=content,
            headers={"Content-Type": "application/json"},
            timeout=seconds,
            allow_redirects=False,
            stream=True,  # what it has to say is not read
        )
    except requests.Timeout as error:
        raise _NotTakenError(f"no answer in {seconds:g} s", transient=True) from error
    except requests.ConnectionError as error:
        raise _NotTakenError("cannot be reached", transient=True) from error
    except requests.RequestException as error:
        # Its words may hold the address.
        raise _NotTakenError(type(error).__name__, transient=False) from error
    answer.close()
    status = answer.status_code
    if not 200 <= status < 300:
        transient = status == _TOO_MANY or status >= 500
        raise _NotTakenError(f"answers {status} {answer.reason}", transient)


def _run(settings: NotifyConfig, event: Event, content: bytes) -> str | None:
    command = settings.command
    name = f"command {command[0]}"
    # No pipe: it is at its end only once all have left it, also who left the session.
    with _file_in_memory() as told, _file_in_memory() as written:
        told.write(content)
        told.seek(0)
        try:
            process = subprocess.Popen(
                command,
                stdin=told,
                stdout=written,
                stderr=subprocess.STDOUT,
                env={**os.environ, EVENT_VARIABLE: event.kind},
                start_new_session=True,  # so that all it started can be ended
            )
        except OSError as error:
            return f"{name}: cannot be started ({error.strerror})"
        try:
            process.wait(settings.timeout_seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"{name}: did not end in {settings.timeout_seconds:g} s, and was ended"
        written.seek(0)
        output = written.read().decode(errors="replace")
    _LOG.info("notify: %s wrote: %s", name, output)
    if process.returncode:
        said = " ".join(output.split())[:_SHOWN]
        return f"{name}: exit status {process.returncode}" + (f": {said}" if said else "")
    return None


def _file_in_memory() -> IO[bytes]:
    """An empty file, to be had on a full disk too: a run that failed by it is told of."""
    return os.fdopen(os.memfd_create("notify"), "w+b")

"""Telling webhooks and commands, on this machine."""

import json
import math
import os
import signal
import socket
import sys
import time

import psutil
import pytest

from components.errors import PostersError
from pipeline import config as configuration
from pipeline.cli.main import FAILED, main
from pipeline.notify import EVENT_VARIABLE, FORMAT, Event, notify
from pipeline.services import retry
from tests.webhook_server import serving

EVENT = Event(
    "pushed",
    "posters: pushed",
    run="20261127T030000.000000Z",
    spans=[3, 4],
    macro_f1=0.25,
    reasons=["macro-F1 is above the floor"],
    pushed="/models/17",
    page="/runs/report.html",
)


@pytest.fixture
def webhook():
    with serving() as server:
        yield server


def _config(**settings) -> configuration.Config:
    override = f"notify={json.dumps(settings)}"
    return configuration.load("sample", [override])


def _tell(settings: dict, event: Event = EVENT) -> tuple[list[str], list[float]]:
    pauses: list[float] = []
    return list(notify(_config(**settings), event, pauses.append)), pauses


def test_a_webhook_is_sent_the_event(webhook):
    assert _tell({"webhooks": [{"url": webhook.address}]}) == ([], [])
    ((headers, sent),) = webhook.received
    assert headers["Content-Type"] == "application/json"
    assert sent.pop("time").endswith("+00:00")
    assert sent == {
        "format": FORMAT,
        "event": "pushed",
        "text": "posters: pushed",
        "pipeline": "posters-sample",
        "host": socket.gethostname(),
        "run": "20261127T030000.000000Z",
        "spans": [3, 4],
        "macro_f1": 0.25,
        "reasons": ["macro-F1 is above the floor"],
        "pushed": "/models/17",
        "page": "/runs/report.html",
    }


def test_a_figure_that_is_no_number_is_null(webhook):
    _tell({"webhooks": [{"url": webhook.address}]}, Event("refused", "x", macro_f1=math.nan))
    assert webhook.received[0][1]["macro_f1"] is None


def test_a_webhook_that_fails_once_is_asked_again(webhook):
    webhook.statuses = [500]
    assert _tell({"webhooks": [{"url": webhook.address}]}) == ([], [retry.PAUSES[0]])
    assert len(webhook.received) == 2


def test_a_webhook_that_hangs_is_given_up(webhook, capsys):
    webhook.statuses = [None] * 4
    problems, pauses = _tell({"webhooks": [{"url": webhook.address}], "timeout_seconds": 0.05})
    assert problems == [f"webhook {webhook.address}: no answer in 0.05 s, 4 tries"]
    assert pauses == list(retry.PAUSES)
    assert capsys.readouterr().out == f"notify: {problems[0]}\n"


@pytest.mark.parametrize(("status", "words"), [(404, "404 Not Found"), (302, "302 Found")])
def test_a_webhook_that_refuses_is_not_asked_again(webhook, status, words):
    webhook.statuses = [status]
    problems, pauses = _tell({"webhooks": [{"url": webhook.address}]})
    assert problems == [f"webhook {webhook.address}: answers {words}, 1 try"]
    assert not pauses
    assert len(webhook.received) == 1  # and is not followed elsewhere


def test_an_address_from_a_variable_is_not_shown(webhook, monkeypatch, capsys):
    monkeypatch.setenv("TEAM_HOOK", webhook.address)
    settings = {"webhooks": [{"url_variable": "TEAM_HOOK"}]}
    assert _tell(settings) == ([], [])
    webhook.statuses = [403]
    assert _tell(settings)[0] == ["webhook TEAM_HOOK: answers 403 Forbidden, 1 try"]
    monkeypatch.setenv("TEAM_HOOK", "http://127.0.0.1:1/s3cr3t")
    assert _tell(settings)[0] == ["webhook TEAM_HOOK: cannot be reached, 4 tries"]
    monkeypatch.setenv("TEAM_HOOK", "s3cr3t")
    assert _tell(settings)[0] == ["webhook TEAM_HOOK: MissingSchema, 1 try"]
    monkeypatch.delenv("TEAM_HOOK")
    assert _tell(settings)[0] == ["webhook TEAM_HOOK: the variable is not set, so nobody was told"]
    assert "s3cr3t" not in capsys.readouterr().out


def test_one_that_fails_keeps_nobody_else_from_being_told(webhook):
    webhook.statuses = [404]
    hooks = [{"url": webhook.address}, {"url": webhook.address}]
    assert len(_tell({"webhooks": hooks})[0]) == 1
    assert len(webhook.received) == 2


def test_only_what_was_asked_for_is_told(webhook):
    settings = {"webhooks": [{"url": webhook.address}], "events": ["failed", "refused"]}
    _tell(settings)
    assert not webhook.received
    _tell(settings, Event("refused", "posters: refused"))
    assert webhook.received[0][1]["event"] == "refused"
    assert notify(configuration.load("sample"), EVENT) == ()


def _command(lines: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", f"import os, pathlib, sys, time\n{lines}", *arguments]


def test_a_command_reads_the_event(tmp_path):
    lines = f"""\
pathlib.Path(sys.argv[1]).write_text(os.environ[{EVENT_VARIABLE!r}] + " " + sys.stdin.read())
"""
    assert _tell({"command": _command(lines, str(tmp_path / "told"))}) == ([], [])
    kind, _, sent = (tmp_path / "told").read_text().partition(" ")
    assert kind == "pushed"
    assert json.loads(sent)["text"] == "posters: pushed"


def test_a_command_that_fails_is_said_in_one_line():
    problems, _ = _tell({"command": _command("print('no\\nmail'); sys.exit(7)")})
    assert problems == [f"command {sys.executable}: exit status 7: no mail"]
    problems, _ = _tell({"command": ["/no/such/program"]})
    assert problems == ["command /no/such/program: cannot be started (No such file or directory)"]


def _ends(pid: int) -> bool:
    """Whether a process that was sent a signal goes within 30 seconds."""
    for _ in range(300):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False


def test_a_command_that_does_not_end_is_ended_with_all_it_started(tmp_path):
    lines = """\
import subprocess
child = subprocess.Popen(["sleep", "600"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
"""
    command = _command(lines, str(tmp_path / "pid"))
    problems, _ = _tell({"command": command, "timeout_seconds": 5})
    assert problems == [f"command {sys.executable}: did not end in 5 s, and was ended"]
    assert _ends(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("ends", "words"), [("", []), ("time.sleep(600)", ["did not end in 5 s, and was ended"])]
)
def test_one_that_a_command_leaves_behind_is_not_waited_for(tmp_path, ends, words):
    lines = f"""\
import subprocess
wait = ["sh", "-c", "sleep 120; touch ended"]
child = subprocess.Popen(wait, start_new_session=True, cwd=sys.argv[1])
pathlib.Path(sys.argv[1], "pid").write_text(str(child.pid))
{ends}
"""
    command = _command(lines, str(tmp_path))
    problems, _ = _tell({"command": command, "timeout_seconds": 5})
    # It holds the command's output all the time.
    os.killpg(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert not (tmp_path / "ended").exists()
    assert problems == [f"command {sys.executable}: {word}" for word in words]


def test_a_run_that_cannot_begin_tells_of_it(webhook, tmp_path, capsys):
    settings = json.dumps({"webhooks": [{"url": webhook.address}]})
    sets = [f"workspace={tmp_path}", f"data_root={tmp_path}/data", f"notify={settings}"]
    command = ["run", "--config", "sample", *(f"--set={setting}" for setting in sets)]
    assert main(command) == FAILED
    ((_, sent),) = webhook.received
    assert sent["event"] == "failed"
    assert sent["text"].removeprefix("posters-sample: ") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "names nobody"),
        ({"webhooks": [{}]}, "either url or url_variable"),
        ({"webhooks": [{"url": "https://x.example", "url_variable": "X"}]}, "either url or"),
        ({"webhooks": [{"url": "ftp://x.example"}]}, "notify.webhooks.0.url"),
        ({"webhooks": [{"url": "https://hooks." + "slack.com/services/T000/B000/abc"}]}, "secret"),
        ({"webhooks": [{"url_variable": "https://x.example"}]}, "url_variable"),
        ({"command": []}, "notify.command"),
        ({"command": ["x"], "events": ["won"]}, "notify.events.0"),
        ({"command": ["x"], "timeout_seconds": 0}, "notify.timeout_seconds"),
    ],
)
def test_wrong_settings_are_refused_by_their_key(settings, words):
    with pytest.raises(PostersError, match=words):
        _config(**settings)

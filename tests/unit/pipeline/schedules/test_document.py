"""docs/scheduling.md: what it shows is what the code does."""

import datetime
import re
import textwrap
from typing import get_args

import yaml

from pipeline import config as configuration
from pipeline import notify
from pipeline.notify_config import Kind
from pipeline.schedules import cron, forms, plan
from tests.bare_image import ROOT

TEXT = (ROOT / "docs/scheduling.md").read_text()


def test_the_times_that_it_shows():
    shown = textwrap.dedent(re.search(r"\n    nightly: .*?\n\n", TEXT, re.DOTALL)[0]).split("\n")
    made = plan.make("nightly", "30 2 * * *", "Europe/Berlin")
    now = datetime.datetime(2026, 3, 27, 12, tzinfo=datetime.timezone.utc)
    assert [line.strip() for line in shown if line][1:] == made.describe(now)


def test_the_forms_that_it_shows():
    text, zone = re.search(r"\| for \| `(.*?)` in (\S+) \|", TEXT).groups()
    rows = dict(re.findall(r"^\| (crontab|systemd|Kubeflow|Vertex AI) \| `(.*?)` \|$", TEXT, re.M))
    expression = cron.parse(text)
    (calendar,) = forms.systemd(expression, zone)
    assert rows == {
        "crontab": forms.crontab(expression),
        "systemd": f"OnCalendar={calendar}",
        "Kubeflow": forms.kubeflow(expression),
        "Vertex AI": forms.vertex(expression, zone),
    }


def test_the_settings_that_it_shows():
    shown = textwrap.dedent(re.search(r"\n    notify:\n(?:    .*\n)+", TEXT)[0])
    found = configuration.load("sample", [f"notify={yaml.safe_load(shown)['notify']}"]).notify
    assert [hook.url_variable or hook.url for hook in found.webhooks] == [
        "TEAM_CHAT", "https://ci.example.com/posters"
    ]  # fmt: skip
    assert found.timeout_seconds == 10


def test_events_and_keys_that_it_lists():
    assert set(re.findall(r"^\| `(\w+)` \| (?:a model|the|there)", TEXT, re.M)) == set(
        get_args(Kind)
    )
    told = notify.payload(configuration.load("sample"), notify.Event("pushed", "x"))
    table = TEXT[TEXT.index("| key | what |") : TEXT.index("A webhook that does not answer")]
    rows = re.findall(r"^\| (`.*?) \|", table, re.M)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(told)

"""The options that docs/beam.md gives: that Beam 2.59 knows them, and accepts them together."""

import re
import textwrap

import pytest
import yaml
from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner

from pipeline.config import BeamConfig
from tests import gcs_server
from tests.bare_image import ROOT

TEXT = (ROOT / "docs" / "beam.md").read_text()


def documented() -> dict[str, list[str]]:
    """The options of each block, by the heading that it stands under."""
    found = {}
    for section in TEXT.split("\n## ")[1:]:
        for block in re.findall(r"(?m)(?:^    .*\n)+", section):
            beam = BeamConfig(**yaml.safe_load(textwrap.dedent(block))["beam"])
            [options] = filter(None, [beam.default, beam.ingest, *beam.by_node.values()])
            found[section.splitlines()[0]] = list(options)
    return found


def test_every_way_to_run_has_its_options():
    assert list(documented()) == ["On one machine", "Flink", "Spark", "Dataflow"]


@pytest.mark.parametrize("heading", documented())
def test_beam_knows_every_option(heading, caplog):
    options = documented()[heading]
    PipelineOptions(options).get_all_options()
    assert not caplog.records
    PipelineOptions([*options, "--unheard_of=1"]).get_all_options()
    assert "unheard_of" in caplog.text


@pytest.fixture
def store(monkeypatch):
    """Beam looks at the bucket for temporary files; this one is on this machine."""
    process, address = gcs_server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
    gcs_server.skip_credentials()
    yield
    process.terminate()
    process.wait()


def test_dataflow_accepts_the_options_together(store):
    options = PipelineOptions([*documented()["Dataflow"], "--job_name=x"])
    assert PipelineOptionsValidator(options, DataflowRunner()).validate() == []


@pytest.mark.parametrize(("heading", "kind"), [("Flink", "EXTERNAL"), ("Spark", "DOCKER")])
def test_portable_runners_are_told_where_workers_are(heading, kind):
    portable = PipelineOptions(documented()[heading]).view_as(PortableOptions)
    assert portable.environment_type == kind
    assert portable.environment_config
    assert portable.job_endpoint != portable.artifact_endpoint


def test_every_document_that_is_named_is_there():
    for path in (ROOT / "docs").glob("*.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), target

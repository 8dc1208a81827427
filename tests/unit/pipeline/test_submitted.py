import pytest

from components.errors import PostersError
from pipeline import config, submitted
from pipeline.submitted import Submitted


def test_what_was_submitted_is_kept_a_runner_each(tmp_path):
    loaded = config.load("kubeflow", [f"workspace={tmp_path}"])
    assert submitted.read(loaded, "kubeflow") is None
    submitted.write(loaded, "kubeflow", Submitted("run-1", {"a": 1}))
    submitted.write(loaded, "vertex", Submitted("projects/x", {}))
    submitted.write(loaded, "kubeflow", Submitted("run-2", {"a": 2}))
    assert submitted.read(loaded, "kubeflow") == Submitted("run-2", {"a": 2})
    assert submitted.read(loaded, "vertex").run_id == "projects/x"


@pytest.mark.parametrize("text", ["{", "[]", '{"run_id": "x"}', '{"id": 1}'])
def test_a_damaged_record_is_named(tmp_path, text):
    loaded = config.load("kubeflow", [f"workspace={tmp_path}"])
    path = tmp_path / "submitted" / "kubeflow.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(PostersError, match=r"kubeflow\.json is no record"):
        submitted.read(loaded, "kubeflow")

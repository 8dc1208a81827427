from pathlib import Path

import pytest

from components.errors import PostersError
from pipeline import config as configuration
from pipeline import retraining

KUBEFLOW = 'kubeflow={host: "http://localhost", images: {default: "localhost/posters:1"}, store: gs://bucket/posters}'


def _folder(*overrides):
    config = configuration.load("sample", overrides)
    return retraining.limits(config).in_use.folder


def test_requests_are_not_looked_at_unless_that_is_wanted():
    log = "serve.log={folder: requests}"
    assert retraining.limits(configuration.load("sample", [log])).in_use is None


def test_the_log_is_the_servers_or_another():
    log = "serve.log={folder: requests}"
    assert _folder(log, "retrain.in_use={}") == str(Path("requests").resolve())
    assert _folder(log, "retrain.in_use={folder: /mnt/log/}") == "/mnt/log"
    assert _folder("retrain.in_use={folder: gs://bucket/log}") == "gs://bucket/log"
    with pytest.raises(PostersError, match=r"or have the server keep one \(serve.log\)$"):
        _folder("retrain.in_use={}")


def test_a_job_finds_it_only_on_a_store_or_where_it_is_mounted():
    for folder in ("gs://bucket/log", "/mnt/log"):
        assert _folder(KUBEFLOW, f"retrain.in_use={{folder: {folder}}}") == folder
    with pytest.raises(PostersError, match="requests is relative, and a job's containers"):
        _folder(KUBEFLOW, "retrain.in_use={folder: requests}")


def test_limits_that_would_never_be_reached_are_refused():
    with pytest.raises(PostersError, match="max_images is 100 and must be at least min_images"):
        _folder("retrain.in_use={folder: x, max_images: 100}")


@pytest.mark.parametrize("changed", ["window={last: 2}", "trainer.epochs=99", "image.size=64"])
def test_another_window_or_setting_is_another_training(changed):
    def basis(*overrides):
        config = configuration.load("sample", overrides)
        return retraining.training_basis(config.model_dump(mode="json"))

    assert basis() == basis("name=other", "retrain.min_new_posters=7")
    assert basis(changed) != basis()

import pytest

from components.errors import PostersError
from components.gate.settings import GateSettings
from pipeline import config


def test_one_split_of_a_limit_can_be_set_alone():
    loaded = config.load("sample", ["gate.min_examples.test=3"]).gate.min_examples
    assert (loaded.train, loaded.eval, loaded.test) == (10, 10, 3)


def test_a_reason_is_one_line():
    assert GateSettings(override=" because\n  of  x ").override == "because of x"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("gate.override=''", ["gate.override", "must say why"]),
        ("gate.min_share_of_previous=1.5", ["gate.min_share_of_previous"]),
        ("gate.min_examples.train=-1", ["gate.min_examples.train"]),
        ("gate.min_examples.valid=1", ["gate.min_examples.valid: no such key"]),
        ("gate.allowed_anomalies.TYPO=1", ["gate.allowed_anomalies", "no kind of anomaly", "TYPO"]),
        ("gate.max_label_drfit=1", ["gate.max_label_drfit", "gate.max_label_drift"]),
    ],
)
def test_a_wrong_limit_says_so(override, words):
    with pytest.raises(PostersError) as caught:
        config.load("sample", [override])
    for word in words:
        assert word in str(caught.value)

import dataclasses
import json
import math

import pytest

from components.errors import PostersError
from components.evaluator import verdict

GIVEN = verdict.Verdict(
    blessed=True,
    rules=(
        verdict.Rule("finite", True, "every score is a number", measured=1.0, limit=1.0),
        verdict.Rule(
            "label_fall", False, "Drama falls by 0.2", "Drama", 0.2, 0.1,
            "evaluator.max_label_f1_drop",
        ),
    ),
    labels=("Drama", "War"),
    common_labels=("Drama",),
    figures={"macro_f1": 0.5, "f1/Drama": 0.6, "auc/War": math.nan, "f1/War": 0.4},
    intervals={"macro_f1": (0.4, 0.6)},
    baseline={"macro_f1": 0.45},
    confusion=verdict.Confusion(
        ("Drama", "War"), [[3, 1], [1, 2]], [[2, 0], [0, 1]], [[2, 0], [1, 1]]
    ),
    calibration={"Drama": (verdict.Bin(0.05, 0.0, 2), verdict.Bin(math.nan, math.nan, 0))},
    slices=(verdict.Slice("decade", "1990s", 4, {"macro_f1": math.nan}),),
    chance=verdict.Chance(1000, 0.001, True, "better than chance", {"Drama": math.nan}),
)  # fmt: skip


def _write(folder, found):
    verdict.write(str(folder), found)
    if found.blessed:
        (folder / "BLESSED").touch()
    return verdict.read(str(folder), str(folder))


def test_comes_back_as_it_was_written(tmp_path):
    assert repr(_write(tmp_path, GIVEN)) == repr(GIVEN)
    content = json.loads((tmp_path / verdict.FILE).read_text())
    assert content["format"] == 1
    assert content["figures"]["auc/War"] is None
    assert content["baseline"] == {"figures": {"macro_f1": 0.45}}
    alone = dataclasses.replace(GIVEN, baseline=None, common_labels=None)
    assert repr(_write(tmp_path, alone)) == repr(alone)


def test_what_tfx_wrote_beside_it_decides(tmp_path):
    verdict.write(str(tmp_path), GIVEN)
    assert not verdict.read(str(tmp_path), str(tmp_path)).blessed


def test_reasons_are_what_was_met_or_what_was_not():
    assert GIVEN.reasons == ("every score is a number",)
    assert dataclasses.replace(GIVEN, blessed=False).reasons == ("Drama falls by 0.2",)


def test_figures_by_label():
    found = GIVEN.by_label(["War", "Drama"])
    assert found["Drama"] == {"f1": 0.6}
    assert list(found["War"]) == ["auc", "f1"]


@pytest.mark.parametrize("content", [None, "{", "{}", '{"format": 2}', '{"format": 1}'])
def test_a_file_that_is_missing_or_of_another_form_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / verdict.FILE).write_text(content)
    with pytest.raises(PostersError, match=r"verdict\.json"):
        verdict.read(str(tmp_path), str(tmp_path))

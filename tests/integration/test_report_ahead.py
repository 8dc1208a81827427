"""The page's charts, begun before the node that puts them on it."""

import dataclasses

import pytest

from components.report import ahead, collect, evaluation
from tests import reports


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    labels = reports.LABELS[:3]
    return reports.leave(tmp_path_factory.mktemp("left"), reports.predict(60, labels)).sources(
        labels
    )


def _without_time(found):
    return {key: value for key, value in found.items() if key != "written"}


def test_the_page_is_the_same_and_nothing_is_drawn_twice(sources, monkeypatch):
    wanted = _without_time(collect.collect(sources))
    drawn, describe = [], evaluation.describe
    monkeypatch.setattr(
        evaluation, "describe", lambda *given: (drawn.append(given), describe(*given))[1]
    )
    # As the runner knows it when the Evaluator is done.
    known = dataclasses.replace(sources, settings={}, labels=(), model=None, serving=None)
    with ahead.ahead() as begun:
        begun.begin(known)
        assert _without_time(collect.collect(sources)) == wanted
    assert len(drawn) == 1
    assert _without_time(collect.collect(sources)) == wanted
    assert len(drawn) == 2


def test_what_cannot_be_read_is_told_as_without(sources):
    gone = dataclasses.replace(sources, test_examples=None, model=None)
    wanted = collect.collect(gone)["missing"]
    assert any("There is no model" in words for words in wanted)
    assert any("pictures" in words for words in wanted)
    with ahead.ahead() as begun:
        begun.begin(gone)
        assert collect.collect(gone)["missing"] == wanted


def test_other_sources_are_looked_at_for_themselves(sources, tmp_path):
    with ahead.ahead() as begun:
        begun.begin(dataclasses.replace(sources, evaluation=str(tmp_path)))
        assert collect.collect(sources)["evaluation"]["blessed"] in (True, False)


def test_an_error_is_raised_where_the_section_is_asked_for(sources, monkeypatch):
    def fail(*_):
        raise RuntimeError("on purpose")

    monkeypatch.setattr(evaluation, "describe", fail)
    with ahead.ahead() as begun:
        begun.begin(sources)
        with pytest.raises(RuntimeError, match="on purpose"):
            collect.collect(sources)


def test_what_nobody_asked_for_is_forgotten(sources, monkeypatch):
    with ahead.ahead() as begun:
        begun.begin(sources)
    monkeypatch.setattr(evaluation, "describe", lambda *_: None)
    assert collect.collect(sources)["evaluation"] is None

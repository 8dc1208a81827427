import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.history import unneeded
from tests.history import ROOT, HistoryBook


def _removed(book, keep=1, needed=()):
    return {found.uri for found in unneeded.artifacts(book.history, keep, ROOT, set(needed))}


def _made(book, *executions):
    return {
        book.artifacts[artifact].uri
        for execution in executions
        for ids in execution.outputs.values()
        for artifact in ids
    }


def test_a_refused_run_goes_and_what_it_shares_stays():
    book = HistoryBook()
    refused = book.run(settings="bad", blessed=False)
    book.run(settings="good")
    gone = _made(book, refused["Trainer"], refused["Evaluator"], refused["Pusher"])
    assert _removed(book) == gone
    assert _removed(book, keep=2) == set()


def test_the_last_run_stays_whatever_became_of_it():
    book = HistoryBook()
    book.run()
    book.run(data="b", settings="bad", blessed=False)
    assert _removed(book) == set()


def test_the_last_models_stay_though_later_runs_came_to_none():
    book = HistoryBook()
    book.run()
    book.run(settings="bad", blessed=False)
    for data in "bcd":
        book.run(data=data, until="StatisticsGen")
    stopped = [run.executions for run in book.runs[-3:-1]]
    assert _removed(book) == _made(book, *stopped[0], *stopped[1])


def test_a_model_that_was_cached_counts_by_its_last_run():
    book = HistoryBook()
    book.run(settings="bad", blessed=False)
    worse = book.run(settings="worse", blessed=False)
    book.run(settings="bad", blessed=False)
    assert _removed(book) == _made(book, worse["Trainer"], worse["Evaluator"], worse["Pusher"])


def test_a_model_held_back_stays():
    book = HistoryBook()
    book.run(pushed=False)
    book.run(data="b")
    assert _removed(book) == set()


def test_what_the_gate_refers_to_stays():
    book = HistoryBook()
    stopped = book.run(data="b", until="StatisticsGen")
    book.run()
    (statistics,) = _made(book, stopped["StatisticsGen"])
    assert _removed(book) == _made(book, *stopped.values())
    # With it, what it was made of: else it would not be cached.
    assert _removed(book, needed=[statistics]) == set()


def test_what_was_imported_from_elsewhere_or_lies_in_a_kept_folder_stays():
    book = HistoryBook()
    kept = book.run()
    (model,) = _made(book, kept["Trainer"])
    book.add(90, "Schema", "/elsewhere/schema")
    book.add(91, "Model", model)
    book.add(92, "Model", f"{ROOT}s/Trainer/model/1")
    assert _removed(book) == set()


def test_what_a_killed_removal_marked_is_removed_even_if_it_is_wanted_now():
    book = HistoryBook()
    last = book.run(blessed=False)
    number = last["Trainer"].outputs["model"][0]
    book.add(number, "Model", book.artifacts[number].uri, state="MARKED_FOR_DELETION")
    book.add(99, "Model", f"{ROOT}/Trainer/model/99", state="DELETED")
    assert _removed(book) == {book.artifacts[number].uri}


RUNS = st.fixed_dictionaries(
    {
        "data": st.sampled_from("ab"),
        "settings": st.sampled_from("rst"),
        "blessed": st.booleans(),
        "pushed": st.booleans(),
        "until": st.sampled_from([None, "StatisticsGen"]),
    }
)


@given(runs=st.lists(RUNS, min_size=1, max_size=8), keep=st.integers(1, 3))
def test_what_is_kept_is_closed_and_holds_every_blessed_model(runs, keep):
    book = HistoryBook()
    for run in runs:
        book.run(**run)
    removed = _removed(book, keep)
    blessed = {
        book.artifacts[artifact.properties["current_model_id"]].uri
        for artifact in book.artifacts.values()
        if artifact.properties.get("blessed")
    }
    assert not blessed & removed
    for execution in book.history:
        made = _made(book, execution)
        given_to_it = {
            book.artifacts[artifact].uri for ids in execution.inputs.values() for artifact in ids
        }
        if not made & removed:
            assert not given_to_it & removed, "a node that is kept would not be cached"
    for run in book.runs[-keep:]:
        assert not _made(book, *run.executions) & removed


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_more_kept_is_never_less_kept(keep):
    book = HistoryBook()
    for number in range(6):
        book.run(settings=str(number), blessed=number % 2 == 0)
    assert _removed(book, keep + 1) <= _removed(book, keep)

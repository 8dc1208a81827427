import pytest

from pipeline.services import retry


class Failing:
    """Raises what it is given, one a call, then returns."""

    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def _call(action):
    pauses = []
    return retry.call(action, lambda error: isinstance(error, OSError), pauses.append), pauses


def test_what_succeeds_is_called_once():
    action = Failing()
    assert _call(action) == ("done", [])
    assert action.calls == 1


def test_what_passes_is_waited_for():
    assert _call(Failing(OSError(), OSError())) == ("done", list(retry.PAUSES[:2]))


def test_what_stays_is_given_up_with_the_last_error():
    action = Failing(*(OSError(str(number)) for number in range(9)))
    with pytest.raises(OSError, match=str(len(retry.PAUSES))):
        _call(action)
    assert action.calls == len(retry.PAUSES) + 1


def test_what_will_not_pass_is_not_tried_again():
    action = Failing(OSError(), ValueError("bad"))
    with pytest.raises(ValueError, match="bad"):
        _call(action)
    assert action.calls == 2

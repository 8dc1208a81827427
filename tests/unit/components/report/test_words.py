import math

import pytest

from components.report import words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (words.number(12345), "12\u202f345"),
        (words.number(None), "\u2013"),
        (words.figure(0.34567), "0.346"),
        (words.figure(math.nan), "\u2013"),
        (words.signed(-0.0214), "\u22120.021"),
        (words.signed(0.5), "+0.500"),
        (words.interval((0.1, 0.25)), "0.100 to 0.250"),
        (words.interval((-0.1, 0.2)), "\u22120.100 to +0.200"),
        (words.interval((None, 0.2)), ""),
        (words.interval(None), ""),
        (words.share(0.0), "0 %"),
        (words.share(0.0321), "3.2 %"),
        (words.share(0.6), "60 %"),
        (words.seconds(0.04), "0.0 s"),
        (words.seconds(65.2), "1 min 5 s"),
        (words.seconds(119.9), "2 min 0 s"),
        (words.seconds(3725), "1 h 2 min"),
        (words.memory(852e6), "852 MB"),
        (words.memory(2.14e9), "2.14 GB"),
        (words.moment("20261123T193827.068153Z"), "2026-11-23 19:38 UTC"),
        (words.moment("2026-11-24T00:13:46+00:00"), "2026-11-24 00:13 UTC"),
        (words.plain("label_count"), "label count"),
    ],
)
def test_as_a_person_reads_it(text, wanted):
    assert text == wanted

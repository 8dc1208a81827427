from pipeline.history import served


def test_the_highest_number_serves_and_not_the_longest_word(tmp_path):
    assert served.version(str(tmp_path / "models")) is None
    for name in ("9", "10", "100", ".push-101", "notes"):
        (tmp_path / "models" / name).mkdir(parents=True)
    assert served.version(str(tmp_path / "models")) == "100"

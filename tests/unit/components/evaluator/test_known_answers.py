"""What tells one model from another, to whoever keeps answers."""

from components.evaluator import known_answers


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_a_model_is_known_by_what_tensorflow_loads(tmp_path):
    model = tmp_path / "Format-Serving"
    for name in ("saved_model.pb", "variables/variables.index", "assets/words.txt"):
        _write(model / name, name)
    first = known_answers.model_content(str(tmp_path))
    assert len(first) == 3
    _write(model / "assets.extra" / "neighbours.npz", "as large as all the others")
    assert known_answers.model_content(str(tmp_path)) == first
    for name in ("saved_model.pb", "variables/variables.index", "assets/words.txt"):
        _write(model / name, "other")
        assert known_answers.model_content(str(tmp_path)) != first
        _write(model / name, name)

"""Every bench can be imported and says what it takes."""

import importlib
from pathlib import Path

import pytest

import bench

_ROOT = Path(bench.__file__).parent
_BENCHES = [path for path in sorted(_ROOT.rglob("*.py")) if "\ndef main(" in path.read_text()]


@pytest.mark.parametrize("path", _BENCHES, ids=lambda path: str(path.relative_to(_ROOT)))
def test_every_bench_says_what_it_takes(path, capsys):
    parts = path.relative_to(_ROOT.parent).with_suffix("").parts
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(".".join(parts)).main(["--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")

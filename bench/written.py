"""How much lies in a folder or file."""

from __future__ import annotations

from pathlib import Path


def size_of(path: Path) -> int:
    """Bytes of a file, or of all below a folder; what is linked several times counts once."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    found = (file.stat() for file in files)
    return sum({(one.st_dev, one.st_ino): one.st_size for one in found}.values())

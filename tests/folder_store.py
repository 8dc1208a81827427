"""A store with folders, as HDFS is, over local files: `folders:///tmp/x`.

It is as strict as HDFS: nothing is overwritten, a folder is listed without what lies deeper, and
a file is moved only into a folder that is there.
"""

from pathlib import Path

from apache_beam.io.filesystem import BeamIOError, FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem

SCHEME = "folders"


def local(url):
    """The local path behind an address."""
    return url.removeprefix(f"{SCHEME}://")


class FolderStore(LocalFileSystem):
    @classmethod
    def scheme(cls):
        return SCHEME

    def _list(self, folder):
        if not Path(local(folder)).is_dir():
            raise BeamIOError(f"no such folder: {folder}")
        for path in Path(local(folder)).iterdir():
            size = path.stat().st_size if path.is_file() else 0
            yield FileMetadata(f"{SCHEME}://{path}", size, 0.0)

    def mkdirs(self, path):
        super().mkdirs(local(path))

    def create(self, path, *rest, **options):
        if Path(local(path)).exists():
            raise BeamIOError(f"exists already: {path}")
        return super().create(local(path), *rest, **options)

    def open(self, path, *rest, **options):
        return super().open(local(path), *rest, **options)

    def rename(self, sources, destinations):
        for source, destination in zip(sources, destinations, strict=True):
            if Path(local(destination)).exists() or not Path(local(destination)).parent.is_dir():
                raise BeamIOError(f"cannot move to {destination}")
            Path(local(source)).rename(local(destination))

    def exists(self, path):
        return super().exists(local(path))

    def size(self, path):
        return super().size(local(path))

    def metadata(self, path):
        return FileMetadata(path, self.size(path), 0.0)

    def delete(self, paths):
        super().delete([local(path) for path in paths])

"""The section `metadata` of a configuration."""

import pytest

from components.errors import PostersError
from pipeline import config as configuration
from pipeline.cli.main import FAILED, main
from pipeline.metadata_store import place

SERVER = ("metadata.kind=mysql", "metadata.host=db", "metadata.database=d", "metadata.user=u")


def _load(*overrides):
    return configuration.load("sample", ["workspace=/w", *overrides])


def test_by_default_it_is_a_file_in_the_workspace():
    where = place.of(_load())
    assert str(where) == "/w/metadata.sqlite"
    assert where.connection().sqlite.filename_uri == "/w/metadata.sqlite"


@pytest.mark.parametrize(("kind", "port"), [("mysql", 3306), ("postgresql", 5432)])
def test_a_server_has_the_usual_port(kind, port):
    config = _load(*SERVER[1:], f"metadata.kind={kind}")
    assert config.metadata.server_port == port
    assert str(place.of(config)) == f"the database d of db:{port}"
    assert _load(*SERVER, "metadata.port=9").metadata.server_port == 9


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["metadata.kind=oracle"], "metadata.kind: .*not 'oracle'"),
        (["metadata.kind=mysql", "metadata.host=db"], "kind mysql needs database, user too"),
        (["metadata.host=db"], "kind sqlite is a file in the workspace and takes no host"),
        ([*SERVER, "metadata.password=x1"], "metadata.password: a value under the name password"),
        ([*SERVER, "metadata.password_variable=a b"], "metadata.password_variable: "),
        ([*SERVER, "metadata.database=a`b"], "metadata.database: "),
    ],
)
def test_what_is_wrong_is_named(overrides, words):
    with pytest.raises(PostersError, match=words):
        _load(*overrides)


@pytest.mark.parametrize("verb", ["lineage", "gc"])
def test_verbs_that_only_look_begin_no_store(tmp_path, capsys, verb):
    assert main([verb, "--config", "sample", "--set", f"workspace={tmp_path}/absent"]) == FAILED
    assert "is not there, so nothing is known of any model" in capsys.readouterr().err
    assert not (tmp_path / "absent").exists()

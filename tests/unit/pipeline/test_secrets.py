import json
import string

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.errors import PostersError
from pipeline import config as configuration
from pipeline import secrets

# Put together here, so that nobody's scanner takes this file for a leak.
PRIVATE_KEY = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n"
ACCOUNT_FILE = json.dumps({"type": "service_account", "private_key": PRIVATE_KEY})
SECRETS = {
    "address with a password": "mysql://root:" + "hunter2@db.example:3306/metadata",
    "address with a token alone": "https://:" + "s3cr3t@example.com/pipeline",
    "connection string": "host=db;user=root;Password=" + "hunter2",
    "query": "https://example.com/module?api_key=" + "0123456789",
    "option": "--hdfs_token=" + "0123456789",
    "private key": PRIVATE_KEY,
    "service account": ACCOUNT_FILE,
    "header": "Authorization: Bearer " + "abcdefghijklmnop0123",
    "signed address": "https://example.com/x?X-Goog-Signature=" + "0123456789abcdef0123",
    "web token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "Amazon": "AKIA" + "IOSFODNN7EXAMPLE",
    "Google": "AIza" + "0123456789abcdefghijklmnopqrstuvwxy",
    "OAuth": "ya29." + "a0AfH6SMBx0123456789abcdef",
    "GitHub": "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz",
    "GitLab": "glpat-" + "0123456789abcdefghij",
    "Hugging Face": "hf_" + "0123456789abcdefghijklmnopqrstuv",
    "Slack": "xoxb-" + "0123456789-0123456789",
    "webhook of Slack": "https://hooks." + "slack.com/services/T00000000/B00000000/abcdefgh",
    "webhook of Discord": "https://discord." + "com/api/webhooks/123456/abcdefghijkl",
    "webhook of Teams": "https://team.webhook." + "office.com/webhookb2/abcdefgh",
}


@pytest.mark.parametrize("name", SECRETS)
def test_secret_is_known_by_its_form(name):
    [found] = secrets.find({"kubeflow": {"host": SECRETS[name]}})
    assert found.key == "kubeflow.host"
    [found] = secrets.find({"beam": {"default": ["--x=1", f"see {SECRETS[name]} there"]}})
    assert found.key == "beam.default.1"


@pytest.mark.parametrize(
    "name", ["password", "db_password", "apiKey", "API_KEY", "auth-token", "clientSecret", "pwd"]
)
@pytest.mark.parametrize("value", ["hunter2", 1234])
def test_secret_is_known_by_its_name(name, value):
    [found] = secrets.find({"vertex": {name: value}})
    assert found == secrets.Finding(f"vertex.{name}", f"a value under the name {name}")


def test_option_and_its_value_as_two_items():
    [found] = secrets.find({"beam": {"ingest": ["--user", "me", "--password", "hunter2"]}})
    assert found.key == "beam.ingest.3"
    assert not list(secrets.find(["--password", "--runner=FlinkRunner"]))


@pytest.mark.parametrize(
    "values",
    [
        {"token_count": 7, "secret_name": "db", "password_file": "/run/secrets/db"},
        {"password": None, "token": "", "api_key": True, "secrets": ["a", "b"]},
        {"tokens": 5, "secretary": "x", "passwords_checked": "yes"},
        {"host": "https://kubeflow.example.com:8443/pipeline"},
        {"image": "registry:5000/team/posters-cpu@sha256:" + "0a" * 32},
        {"account": "pipeline-runner@your-project.iam.gserviceaccount.com"},
        {"path": "gs://bucket/token=5/a:b@c", "other": "s3://bucket/key/secret/password"},
        {"beam": ["--project=p", "--environment_config=localhost:50000", "--no_use_token"]},
        {
            "label": "Basic responsibilities",
            "title": "The Bearer of Bad News",
            "genre": "Secret|Token",
        },
    ],
)
def test_what_only_sounds_like_it_passes(values):
    assert not list(secrets.find(values))


WORD = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
PATH = st.lists(WORD, min_size=1, max_size=5).map("/".join)
VALUES = st.one_of(
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
    PATH,
    PATH.map("/{}".format),
    st.builds("{}://{}/{}".format, st.sampled_from(["gs", "s3", "hdfs"]), WORD, PATH),
    st.builds("https://{}.example.com:{}/{}".format, WORD, st.integers(1, 65535), PATH),
    st.builds("{}/{}@sha256:{}".format, WORD, PATH, st.text("0123456789abcdef", min_size=64)),
    st.builds("{}-{}:{}.{}".format, WORD, WORD, st.integers(0, 99), st.integers(0, 99)),
    st.builds("{}@{}.iam.gserviceaccount.com".format, WORD, WORD),
    st.builds("--{}={}".format, st.sampled_from(["runner", "project", "region"]), PATH),
    st.lists(WORD, min_size=1, max_size=8).map(" ".join),
)
NAMES = st.lists(st.sampled_from(configuration.known_keys()), min_size=1, max_size=6, unique=True)


@given(names=NAMES, data=st.data())
def test_ordinary_configuration_passes(names, data):
    values = {name.rsplit(".", 1)[-1]: data.draw(VALUES | st.lists(VALUES)) for name in names}
    assert not list(secrets.find({"section": values}))


@given(secret=st.sampled_from(sorted(SECRETS)), around=st.lists(VALUES, max_size=4))
def test_secret_is_found_wherever_it_lies(secret, around):
    values = {"a": [*around, {"b": {"c": [SECRETS[secret]]}}]}
    assert [found.key for found in secrets.find(values)] == [f"a.{len(around)}.b.c.0"]


def test_bundled_configurations_pass():
    for path in configuration.bundled().values():
        assert not list(secrets.find(yaml.safe_load(path.read_text())))


def test_configuration_with_a_secret_is_refused_and_the_secret_not_repeated(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nkubeflow:\n  host: https://me:hunter2@kubeflow.example.com\n")
    with pytest.raises(PostersError) as caught:
        configuration.load(str(path), ["vertex.api_key=0123456789"])
    message = str(caught.value)
    assert message.startswith(f"{path}: what looks like a secret")
    assert "kubeflow.host: a password in an address" in message
    assert "vertex.api_key: a value under the name api_key" in message
    assert "service_account" in message and "environment variable" in message
    assert "hunter2" not in message and "0123456789" not in message

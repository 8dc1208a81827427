"""The curated schema on real statistics, and the verbs that help to adapt it."""

import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.features import Features
from pipeline import config, data_nodes, schema_diff, schema_draft
from pipeline.cli import main
from tests import spans
from tests.examples import encode, example, picture, write_records

CURATED = data_nodes.schema_path(config.load("sample"))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("schema")
    spans.write_span(root, 1, spans.clean())
    return root


def _kinds(statistics, schema, environment=None):
    found = tfdv.validate_statistics(statistics, schema, environment=environment).anomaly_info
    return {
        (name, schema_kind)
        for name, info in found.items()
        for schema_kind in [type(info).Type.Name(reason.type) for reason in info.reason]
    }


def _statistics(folder, records):
    write_records(folder / "train" / "data-00000-of-00001.tfrecord", records)
    schema = data_nodes.read_schema(CURATED)
    options = tfdv.StatsOptions(schema=schema)
    return tfdv.generate_statistics_from_tfrecord(f"{folder}/train/*", stats_options=options)


def test_a_served_request_needs_no_labels_and_must_have_an_image(tmp_path):
    import tensorflow as tf

    image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[encode(picture(0))]))
    request = tf.train.Example(features=tf.train.Features(feature={"poster": image}))
    statistics = _statistics(tmp_path, [request.SerializeToString()] * 3)
    schema = data_nodes.read_schema(CURATED)
    assert _kinds(statistics, schema, "SERVING") == set()
    assert ("genres", "SCHEMA_MISSING_COLUMN") in _kinds(statistics, schema, "TRAINING")
    without = tf.train.Example(features=tf.train.Features(feature={"other": image}))
    statistics = _statistics(tmp_path, [without.SerializeToString()])
    assert ("poster", "SCHEMA_MISSING_COLUMN") in _kinds(statistics, schema, "SERVING")


def test_the_curated_schema_finds_what_it_forbids(tmp_path):
    schema = data_nodes.read_schema(CURATED)
    schema.feature[0].image_domain.max_image_byte_size = 1000
    good = example("1", encode(picture(0, 4, 4)), ["Drama"], year=1999)
    assert _kinds(_statistics(tmp_path, [good]), schema) == set()
    bad = example("2", encode(picture(0, 200, 200)), ["Dramma"], year=1492)
    unlabelled = example("3", encode(picture(0, 4, 4)), [])
    assert _kinds(_statistics(tmp_path, [good, bad, unlabelled]), schema) == {
        ("poster", "MAX_IMAGE_BYTE_SIZE_EXCEEDED"),
        ("genres", "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("genres", "FEATURE_TYPE_LOW_NUMBER_VALUES"),
        ("year", "INT_TYPE_SMALL_INT"),
    }


def test_images_are_bytes_to_the_statistics_and_no_words(tmp_path):
    statistics = _statistics(tmp_path, [example("1", encode(picture(0)), ["Drama"])])
    by_name = {feature.path.step[0]: feature for feature in statistics.datasets[0].features}
    assert by_name["poster"].HasField("bytes_stats")


def test_an_inferred_schema_fits_its_data_and_keeps_the_choices(root, tmp_path, capsys):
    draft = tmp_path / "draft.pbtxt"
    command = ["schema", "infer", "--config", "sample", "--data", str(root)]
    assert main.main([*command, "--out", str(draft)]) == main.OK
    schema = data_nodes.read_schema(draft)
    by_name = {feature.name: feature for feature in schema.feature}
    assert by_name["poster"].WhichOneof("domain_info") == "image_domain"
    assert list(by_name["genres"].not_in_environment) == ["SERVING"]
    assert by_name["imdb_id"].WhichOneof("domain_info") is None
    assert by_name["genres"].drift_comparator.infinity_norm.threshold == 0.05
    assert list(schema.string_domain[0].value) == sorted(spans.VOCABULARY)
    capsys.readouterr()
    assert main.main(["schema", "diff", "--config", "sample", str(draft), str(root)]) == main.OK
    assert "no anomaly" in capsys.readouterr().out
    # A run takes it.
    loaded = config.load("sample", [f"data_root={root}", f"schema_path={draft}"])
    assert data_nodes.read_schema(data_nodes.schema_path(loaded)) == schema

    assert main.main([*command, "--out", str(draft)]) == main.FAILED
    assert "is there already" in capsys.readouterr().err
    assert main.main(command) == main.OK
    assert text_format.Parse(capsys.readouterr().out, schema_pb2.Schema()) == schema


def test_ids_that_look_like_numbers_get_no_domain(tmp_path):
    records = [example(str(100 + row), encode(picture(0)), ["Drama"]) for row in range(5)]
    write_records(tmp_path / "train" / "data-00000-of-00001.tfrecord", records)
    features = Features()
    statistics = schema_draft.statistics_of(tmp_path, "train", features)
    schema = schema_draft.infer(statistics, features, ["Drama", "War"])
    by_name = {feature.name: feature for feature in schema.feature}
    assert by_name["imdb_id"].WhichOneof("domain_info") is None
    assert list(schema.string_domain[0].value) == ["Drama", "War"]


def test_a_difference_is_said_and_exits_with_one(root, tmp_path, capsys):
    other = tmp_path / "other.pbtxt"
    text = CURATED.read_text()
    other.write_text(text.replace('  value: "War"\n', "").replace("min: 1870", "min: 1990"))
    arguments = ["schema", "diff", "--config", "sample"]
    assert main.main([*arguments, str(other)]) == 1
    shown = capsys.readouterr().out
    assert "feature year: int_domain.min: 1990 -> 1870" in shown
    assert "domain genres: value: +War" in shown
    assert main.main([*arguments, str(CURATED), str(CURATED)]) == main.OK
    assert "mean the same" in capsys.readouterr().out
    assert main.main([*arguments, str(other), str(root)]) == 1
    shown = capsys.readouterr().out
    assert "train, genres: Examples contain values missing from the schema: War" in shown
    assert "year" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["diff", "nowhere.pbtxt"], "nowhere.pbtxt cannot be read"),
        (["diff", "{folder}/bad.pbtxt"], "is no TFMD schema"),
        (["infer", "--data", "{folder}"], "holds no span-<N>"),
    ],
)
def test_bad_input_is_an_error_in_words(arguments, words, tmp_path, capsys):
    (tmp_path / "bad.pbtxt").write_text("feature {")
    action, *rest = [argument.format(folder=tmp_path) for argument in arguments]
    assert main.main(["schema", action, "--config", "sample", *rest]) == main.FAILED
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_the_order_of_features_and_values_is_no_difference():
    one = schema_pb2.Schema()
    one.feature.add(name="a", type=schema_pb2.BYTES)
    one.feature.add(name="b", type=schema_pb2.INT)
    one.string_domain.add(name="d", value=["x", "y"])
    other = schema_pb2.Schema()
    other.feature.extend(reversed(one.feature))
    other.string_domain.add(name="d", value=["y", "x"])
    assert schema_diff.differences(one, other) == []
    other.feature.add(name="c")
    other.feature[0].image_domain.SetInParent()
    del one.string_domain[:]
    assert schema_diff.differences(one, other) == [
        "~ feature b: image_domain: not set -> set",
        "+ feature c: only in the second",
        "+ domain d: only in the second",
    ]

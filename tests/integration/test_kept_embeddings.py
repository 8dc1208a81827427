"""The Evaluator reuses embeddings, and nobody could tell from what it measures."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf

from components.errors import PostersError
from components.evaluator import kept_embeddings, predictions
from components.evaluator.kept_embeddings import KeptEmbeddings
from components.evaluator.settings import EvaluatorSettings
from components.trainer import (
    calibration,
    embedding_fingerprint,
    export,
    extractor,
    folding,
)
from components.views import geometries
from tests import fine_tuning
from tests.evaluating import BY_BEAM, evaluate
from tests.examples import FEATURES, encode, example, odd_images, picture, write_records
from tests.transforming import transform

LABELS = ["Drama", "Comedy", "Film-Noir"]
MORE_LABELS = [*LABELS, "News"]
VIEWS = ("squished", "top_mirrored")
SIZE, WIDTH = fine_tuning.SIZE, 192
IMAGES = [*odd_images().values(), *(encode(picture(seed)) for seed in range(50, 65))]
IMAGES.append(IMAGES[0])  # twice in one split
SETTINGS = EvaluatorSettings(slices=("label",), min_label_support=5)


class _Head(tf.Module):
    def __init__(self, width, labels, seed):
        super().__init__()
        values = np.random.default_rng(seed).normal(0, 0.2, (width, labels))
        self.kernel = tf.Variable(values, dtype=tf.float32)

    def __call__(self, features):
        return features @ self.kernel


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder with models, whose heads differ, and a test split."""
    root = tmp_path_factory.mktemp("kept")
    for name, labels in (("few", LABELS), ("more", MORE_LABELS)):
        config = {
            "features": {},
            "labels": labels,
            "image_size": SIZE,
            "geometries": geometries(VIEWS),
        }
        _, output = transform({"one": IMAGES[0]}, labels[:1], config, root / name)
        for seed in range(2):
            _export(root / f"{name} {seed}", output, labels, seed)
    _write(root / "examples", IMAGES)
    return root


def _export(folder, output, labels, seed):
    layer = extractor.load(extractor.EMBEDDED, SIZE)
    count = len(labels)
    parts = export.ModelParts(
        transform=output.transform_features_layer(),
        raw_feature_spec=output.raw_feature_spec(),
        extractor=layer,
        head=_Head(WIDTH, count, seed),
        calibration=calibration.Calibration(
            np.ones(count), np.full(count, 0.1), np.full(count, 0.4)
        ),
        labels=labels,
        features=FEATURES,
        image_size=SIZE,
        views=VIEWS,
    )
    fingerprint = embedding_fingerprint.of(layer, {"image_size": SIZE}, "code")
    export.export(parts, str(folder / "Format-Serving"), {"embedding_fingerprint": fingerprint})


def _write(folder, images):
    records = [example(f"tt{row:02}", image, [LABELS[row % 3]]) for row, image in enumerate(images)]
    write_records(folder / "Split-test" / "data.gz", records)


def _evaluate(root, name, labels=LABELS, **more):
    """The verdict, and the predictions without their ids."""
    folder = root / name
    more = {"settings": SETTINGS, "examples": root / "examples", **more}
    found = evaluate(folder, labels=labels, **more)
    return found, predictions.read(str(folder / "evaluation"))


def _assert_same(found, expected):
    for field in dataclasses.fields(predictions.Predictions):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if one is None or field.name in ("labels", "ids", "baseline_labels"):
            assert np.array_equal(one, other)
        else:
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def _parts(answers):
    return sorted((answers / kept_embeddings.FOLDER).glob("*/*"))


def _rows(part):
    rows, rest = divmod(part.stat().st_size - 32, 32 + 4 * WIDTH)
    assert rest == 0
    return rows


@pytest.fixture(scope="module")
def whole(root):
    """What each model says of the split, every image passed through all of it."""
    return {
        "few": _evaluate(root, "whole", model=root / "few 0", baseline=root / "few 1"),
        "more": _evaluate(root, "whole more", MORE_LABELS, model=root / "more 0"),
    }


@pytest.fixture
def answers(root, tmp_path):
    """A folder of answers in which a run left embeddings."""
    folder = tmp_path / "answers"
    _evaluate(root, "first", model=root / "few 1", answers_folder=str(folder))
    assert len(_parts(folder)) == 1
    return folder


@pytest.mark.parametrize("beam_options", [(), BY_BEAM], ids=["in this process", "by Beam"])
def test_models_that_share_an_extractor_embed_each_image_once(root, whole, tmp_path, beam_options):
    """Scores and figures are those of whole models, also when embeddings are reused."""
    folder = tmp_path / "answers"
    models = {"model": root / "few 0", "baseline": root / "few 1", "beam_options": beam_options}
    for name in ("new", "reused"):
        found, answered = _evaluate(
            tmp_path, name, examples=root / "examples", **models, answers_folder=str(folder)
        )
        _assert_same(answered, whole["few"][1])
        assert found.blessed == whole["few"][0].blessed
        assert found.figures == pytest.approx(whole["few"][0].figures, abs=1e-6, nan_ok=True)
        (part,) = _parts(folder)
        assert _rows(part) == len(set(IMAGES))


def test_another_split_costs_only_its_new_images(root, answers):
    _write(root / "grown", [*IMAGES, encode(picture(99))])
    examples = {"examples": root / "grown", "model": root / "few 0"}
    _, expected = _evaluate(root, "grown whole", **examples)
    _, found = _evaluate(root, "grown reused", **examples, answers_folder=str(answers))
    _assert_same(found, expected)
    assert sorted(map(_rows, _parts(answers))) == [
        1,
        len(set(IMAGES)),
    ]


def test_other_labels_are_a_matter_of_the_head(root, whole, answers):
    before = _parts(answers)
    _, found = _evaluate(
        root, "labels", MORE_LABELS, model=root / "more 0", answers_folder=str(answers)
    )
    _assert_same(found, whole["more"][1])
    assert _parts(answers) == before


def test_embeddings_of_another_extractor_are_not_reused(root, answers):
    (part,) = _parts(answers)
    other = part.parent.with_name("of another extractor")
    part.parent.rename(other)
    _evaluate(root, "other", model=root / "few 0", answers_folder=str(answers))
    assert len(_parts(answers)) == 2
    assert not part.exists()


def test_a_damaged_part_is_made_again(root, whole, answers):
    (part,) = _parts(answers)
    part.write_bytes(part.read_bytes()[:-100])
    _, found = _evaluate(root, "damaged", model=root / "few 0", answers_folder=str(answers))
    np.testing.assert_allclose(found.scores, whole["few"][1].scores, atol=1e-6)
    assert len(_parts(answers)) == 2


def test_wrong_embeddings_judge_no_model(root, whole, answers, capsys):
    """They are found out by the images that are passed whole, and removed."""
    (part,) = _parts(answers)
    digests = [kept_embeddings.digest(image) for image in sorted(set(IMAGES))]
    embeddings, _ = KeptEmbeddings(str(part.parent), WIDTH).find(digests)
    part.unlink()
    kept = KeptEmbeddings(str(part.parent), WIDTH)
    kept.add(digests, embeddings * 1.01)
    kept.publish()
    _, found = _evaluate(root, "wrong", model=root / "few 0", answers_folder=str(answers))
    assert "are not those that the model makes" in capsys.readouterr().out
    np.testing.assert_allclose(found.scores, whole["few"][1].scores, atol=1e-6)
    assert not _parts(answers)


def test_an_image_that_cannot_be_decoded_is_named_and_not_kept(root, tmp_path):
    _write(tmp_path / "examples", [encode(picture(1)), b"<html>404</html>"])
    folder = tmp_path / "answers"
    for _ in range(2):
        with pytest.raises(PostersError, match=r"(?s)1 image\(s\) cannot be decoded.*id tt01"):
            _evaluate(
                tmp_path, "out", examples=tmp_path / "examples", model=root / "few 0",
                answers_folder=str(folder),
            )  # fmt: skip
    (part,) = _parts(folder)
    assert _rows(part) == 1


def test_a_model_that_says_nothing_of_its_embeddings_is_asked_whole(root, whole, tmp_path):
    serving = root / "few 0" / "Format-Serving"
    model = tmp_path / "model" / "Format-Serving"
    shutil.copytree(serving, model)
    description = model / export.DESCRIPTION_FILE
    description.write_text(description.read_text().replace("embedding_fingerprint", "nothing"))
    folder = tmp_path / "answers"
    _, found = _evaluate(root, "older", model=model.parent, answers_folder=str(folder))
    np.testing.assert_allclose(found.scores, whole["few"][1].scores, atol=1e-6)
    assert not (folder / kept_embeddings.FOLDER).exists()


def test_a_fine_tuned_extractor_has_a_fingerprint_of_its_own():
    facts, size = {"views": ["squished"], "image_size": 96}, 96
    layer = extractor.load_copy(extractor.EMBEDDED, trainable=False)
    flat = folding.flatten(layer, size)
    first = [embedding_fingerprint.of(each, facts, "code") for each in (layer, flat)]
    assert [embedding_fingerprint.of(each, dict(facts), "code") for each in (layer, flat)] == first
    # Loaded once more, its operations are named otherwise, and mean the same.
    again = folding.flatten(extractor.load_copy(extractor.EMBEDDED, trainable=False), size)
    assert embedding_fingerprint.of(again, facts, "code") == first[1]
    kernel = next(weight for weight in layer.weights if "kernel" in weight.name)
    kernel.assign(kernel * (1 + 1e-6))
    tuned = folding.flatten(layer, size)
    others = {
        *(embedding_fingerprint.of(each, facts, "code") for each in (layer, tuned)),
        embedding_fingerprint.of(flat, {**facts, "image_size": 128}, "code"),
        embedding_fingerprint.of(flat, facts, "other code"),
    }
    assert len(others - set(first)) == 4

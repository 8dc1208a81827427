"""Answers from a pushed model."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.parsers.shared import add_config, data_path, local_path


def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verbs of this group."""
    _add_predict(verbs)
    _add_batch(verbs)
    _add_export(verbs)
    _add_serve(verbs)


def _add_sources(verb: argparse.ArgumentParser) -> None:
    """What is asked about, and the pushed model that is asked."""
    verb.add_argument("posters", nargs="*", metavar="IMAGE", help="a file, or a folder of files")
    table = verb.add_mutually_exclusive_group()
    table.add_argument("--csv", metavar="FILE", help="a table with ids, as `posters ingest` reads")
    table.add_argument("--jsonl", metavar="FILE", help="the same as JSON Lines, one object an id")
    verb.add_argument(
        "--images", metavar="FOLDER", help="with a table: folder with <id>.jpg and the like"
    )
    verb.add_argument(
        "--model",
        type=data_path,
        metavar="DIR",
        help="a pushed version, or a folder of versions (default: the newest below workspace/)",
    )


def _add_predict(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "predict", help="labels and scores of images, from a pushed model or a server"
    )
    _add_sources(verb)
    verb.add_argument(
        "--server",
        metavar="URL",
        help="ask a server that speaks TensorFlow Serving's REST API, http://host:port",
    )
    verb.add_argument(
        "--token-file", type=Path, metavar="FILE", help="holds the token that the server wants"
    )
    verb.add_argument("--json", action="store_true", help="one JSON object a line")
    add_config(verb, default="local")


def _add_batch(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "batch", help="predictions of many posters, on Beam, as files of JSON Lines"
    )
    _add_sources(verb)
    verb.add_argument(
        "--examples",
        type=data_path,
        metavar="FOLDER",
        help="in place of images: the TFRecord files of one split, such as DATA/span-1/test",
    )
    verb.add_argument(
        "--out",
        type=data_path,
        required=True,
        help="folder for the predictions; run again with the same, it goes on where it was cut off",
    )
    add_config(verb, default="local")


def _add_export(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("export", help="the pushed model in another form: TensorFlow Lite")
    verb.add_argument("--format", choices=["tflite"], default="tflite")
    verb.add_argument(
        "--quantization",
        choices=["float16", "int8"],
        default="float16",
        help="how weights are stored: in half the bytes, or the head's in a quarter "
        "(default: float16)",
    )
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    verb.add_argument(
        "--model",
        type=local_path,
        metavar="DIR",
        help="a pushed version, or a folder of versions (default: the newest below workspace/)",
    )
    verb.add_argument(
        "--data",
        type=data_path,
        metavar="ROOT",
        help="data on whose test split both are compared (default: the configuration's)",
    )
    verb.add_argument(
        "--max-f1-drop",
        type=float,
        default=0.01,
        metavar="X",
        help="refuse if macro-F1 falls by more (default: 0.01)",
    )
    add_config(verb, default="local")


def _add_serve(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("serve", help="answer over HTTP, as TensorFlow Serving does")
    verb.add_argument(
        "--model",
        type=local_path,
        metavar="DIR",
        help="a folder of versions, watched, or one version (default: what the runs of the "
        "configuration on this machine push)",
    )
    verb.add_argument(
        "--host", default="127.0.0.1", help="address to bind to (default: this machine alone)"
    )
    verb.add_argument("--port", type=int, default=8501, help="0 takes a free one (default: 8501)")
    verb.add_argument(
        "--token-file", type=Path, metavar="FILE", help="holds the token that clients must send"
    )
    add_config(verb, default="local")

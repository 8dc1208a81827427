"""The `posters` command: words to verbs, and errors to words.

Only the standard library is imported here: TensorFlow and TFX take seconds to load, so each verb
loads what it needs when it runs.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__

if TYPE_CHECKING:
    from components.paths import AnyPath

#: What `posters` exits with; README.md says the same.
OK, FAILED, USAGE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130


_RUN = """\
Runs the DAG on this machine: train, evaluate, bless, push.

--runner local runs the nodes one after another within this process.

--runner kubeflow-local compiles the DAG as for Kubeflow Pipelines and runs what came out, node by
node: each container's own command with its own arguments, as a process of its own, in an empty
folder and a clean environment, with this environment's Python. So it shows before any money is
spent that the compiled job can be executed, that its nodes are wired, that what it names by dotted
path can be imported, and that nodes pass each other artifacts and nothing else. It does not show
that the images are right (none is pulled), that a service accepts the job, or that the resources
asked for are enough. Files lie in the workspace and not on the cluster's store. What it made is
cached for the next run of this kind, apart from what --runner local made.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb.

    Returns:
      The exit status: 0 done, 1 failed, 2 wrong usage, 3 the model was refused, 130 interrupted.
    """
    options = _parser().parse_args(arguments)
    # Native start-up chatter of TensorFlow; a person who wants it sets the variable.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Google's client libraries, which TFX brings, announce the end of Python 3.10 in every process.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")
    from components.errors import PostersError

    try:
        verb = importlib.import_module(f"pipeline.cli.{options.verb}")
        return verb.run(options)
    except PostersError as error:
        print(f"posters: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        where = f" {error.filename}:" if error.filename else ""
        print(f"posters:{where} {error.strerror or error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("posters: interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="posters",
        description="Multi-label image classification on TFX: film genres from posters.",
    )
    parser.add_argument("--version", action="version", version=f"posters {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_sample(verbs)
    _add_ingest(verbs)
    _add_data(verbs)
    _add_schema(verbs)
    _add_run(verbs)
    _add_bless(verbs)
    _add_runs(verbs)
    _add_compare(verbs)
    _add_report(verbs)
    _add_compile(verbs)
    _add_submit(verbs)
    _add_status(verbs)
    _add_predict(verbs)
    _add_serve(verbs)
    _add_doctor(verbs)
    return parser


def _add_sample(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("sample", help="draw a sample data set of posters, always the same one")
    verb.add_argument("--out", type=Path, required=True, help="folder to write it to")
    verb.add_argument("--count", type=int, default=800, help="how many posters (default: 800)")
    verb.add_argument("--seed", type=int, default=2024, help="another seed, other posters")


def _add_ingest(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("ingest", help="turn a table and images into a span of examples")
    table = verb.add_mutually_exclusive_group(required=True)
    table.add_argument("--csv", metavar="FILE", help="table with ids and labels")
    table.add_argument("--jsonl", metavar="FILE", help="the same as JSON Lines, one object an id")
    verb.add_argument(
        "--images",
        metavar="FOLDER",
        help="folder with <id>.jpg and the like; not needed if ingest.url_column names addresses",
    )
    verb.add_argument(
        "--out",
        type=_data_path,
        required=True,
        help="data root to write the span into: a folder, or gs://... and the like",
    )
    verb.add_argument(
        "--span", type=int, metavar="N", help="number of the span (default: the next)"
    )
    _add_config(verb, default="local")


def _add_data(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("data", help="show what is in a data set: counts, labels, pictures")
    verb.add_argument(
        "--data-root", type=_data_path, help="where the spans lie, or one span's folder"
    )
    verb.add_argument("--span", type=int, help="number of the span (default: the newest)")
    verb.add_argument("--html", type=Path, metavar="FILE", help="also write one page with pictures")
    _add_config(verb, default="local")


def _add_schema(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("schema", help="draft a schema from data, or compare two")
    actions = verb.add_subparsers(dest="action", required=True, metavar="ACTION")
    infer = actions.add_parser("infer", help="write a draft of a schema that data satisfies")
    infer.add_argument(
        "--data", type=_data_path, required=True, help="where the spans lie, or one span's folder"
    )
    infer.add_argument("--out", type=Path, metavar="FILE", help="write it here, not to the screen")
    _add_config(infer, default="local")
    diff = actions.add_parser("diff", help="say what differs; exits with 1 if something does")
    diff.add_argument("first", type=Path, metavar="A", help="a schema")
    diff.add_argument(
        "second", nargs="?", type=_data_path, metavar="B",
        help="another schema, or a folder of data (default: the schema that runs use)",
    )  # fmt: skip
    _add_config(diff, default="local")


def _add_run(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "run",
        help="run the DAG: train, evaluate, bless, push",
        description=_RUN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument(
        "--runner",
        choices=["local", "kubeflow-local"],
        default="local",
        help="how it runs on this machine, see above (default: local)",
    )
    verb.add_argument(
        "--allow-anomalies",
        metavar="REASON",
        help="go on whatever DataGate finds; the reason is kept with the run",
    )
    _add_config(verb, default="local")


def _add_bless(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "bless",
        help="push a model that was refused, on the record",
        description="Blesses the model of a refused run by hand and pushes it at once. Who, when "
        "and why is kept in ML Metadata, beside what was overridden, and in the run's "
        "summary.json. Later runs compare their models with it like with any blessed one.",
    )
    verb.add_argument(
        "version", metavar="VERSION", help="the refused run, by the name that `posters run` prints"
    )
    verb.add_argument("--reason", required=True, help="why, in a sentence")
    _add_config(verb, default="local")


def _add_runs(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("runs", help="list the runs: data, macro-F1, what came of them")
    _add_workspace(verb)


def _add_compare(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("compare", help="show two runs side by side, label by label")
    verb.add_argument("first", metavar="A", help="a run: its id, how that begins, or its folder")
    verb.add_argument("second", metavar="B", help="another run")
    _add_workspace(verb)


def _add_report(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("report", help="where a run's page is; makes it again if it is gone")
    verb.add_argument(
        "run",
        nargs="?",
        metavar="RUN",
        help="a run: its id, how that begins, or its folder (default: the newest)",
    )
    verb.add_argument("--open", action="store_true", help="show the page in a browser")
    verb.add_argument(
        "--card", type=Path, metavar="FILE", help="also write the model card there, as Markdown"
    )
    _add_workspace(verb)


def _add_compile(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("compile", help="write the DAG as a job for Kubeflow or Vertex AI")
    verb.add_argument(
        "--out", type=Path, required=True, metavar="FILE",
        help="a .json for the whole job, or a .yaml as Kubeflow's own clients take it",
    )  # fmt: skip
    verb.add_argument(
        "--data", type=_data_path, metavar="DIR",
        help="read span and labels from this copy of data_root, so that no store is asked",
    )  # fmt: skip
    _add_config(verb, default="kubeflow")


def _add_submit(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "submit",
        help="compile, check, and send to Kubeflow or Vertex AI",
        description="Compiles, checks the job, shows how it differs from the one submitted last "
        "from this workspace, asks, and sends it.",
    )
    verb.add_argument(
        "--yes", action="store_true", help="do not ask; needed where nobody can be asked"
    )
    verb.add_argument(
        "--max-cost", type=float, metavar="X",
        help="refuse a run that is estimated to cost more, in the currency of `prices`",
    )  # fmt: skip
    _add_config(verb, default="kubeflow")


def _add_status(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("status", help="how a submitted run goes; exits with 1 if it failed")
    verb.add_argument(
        "run", nargs="?", metavar="RUN",
        help="its name, as submit printed it (default: what this workspace submitted last)",
    )  # fmt: skip
    _add_config(verb, default="kubeflow")


def _add_predict(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("predict", help="labels and scores of images, from a pushed model")
    verb.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE", help="a file, or a folder of files"
    )
    verb.add_argument(
        "--model",
        type=Path,
        help="a pushed version, or a folder of versions (default: the newest below workspace/)",
    )
    verb.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_serve(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("serve", help="answer over HTTP, as TensorFlow Serving does")
    verb.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help="a folder of versions, watched, or one version (default: what the runs of the "
        "configuration push)",
    )
    verb.add_argument(
        "--host", default="127.0.0.1", help="address to bind to (default: this machine alone)"
    )
    verb.add_argument("--port", type=int, default=8501, help="0 takes a free one (default: 8501)")
    verb.add_argument(
        "--token-file", type=Path, metavar="FILE", help="holds the token that clients must send"
    )
    _add_config(verb, default="local")


def _add_doctor(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("doctor", help="say what is wrong with this environment")
    _add_config(verb, default="local")


def _data_path(text: str) -> AnyPath:
    from components.paths import to_path

    return to_path(text)


def _add_workspace(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--workspace",
        type=Path,
        default=Path("workspace"),
        metavar="DIR",
        help="a configuration's workspace, or a folder of such (default: workspace/)",
    )


def _add_config(verb: argparse.ArgumentParser, default: str) -> None:
    verb.add_argument(
        "--config",
        default=default,
        metavar="FILE",
        help=f"a YAML file, or the name of one that comes with the project (default: {default})",
    )
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="override one key, such as trainer.epochs=5; may be repeated",
    )


if __name__ == "__main__":
    sys.exit(main())

"""Runs on this machine, and what is kept of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.parsers.shared import add_config, add_workspace

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

_RETRAIN = """\
Decides whether to train again and, if there is reason to, runs the DAG once on this machine.

Reasons are new posters, genre frequencies or posters that drifted, requests unlike what the served
model was trained on (retrain.in_use), a label that the vocabulary gained, and the age of the served
model, each with its limit in the configuration (retrain.*).
Nothing is trained if nothing is new, if the data gate refused the data before, or while another run
is under way. The decision, what it was made of and what came of it are kept in WORKSPACE/decisions.

Exit status: 0 a run was made and its model pushed, or held back where push.approval is manual; 1
it failed; 3 its model or the data was refused; 4 there was no reason to run; 130 it was
interrupted. With --dry-run 0 says that a run would be made.
"""


def add(verbs: argparse._SubParsersAction) -> None:
    """Adds the verbs of this group."""
    _add_run(verbs)
    _add_retrain(verbs)
    _add_decisions(verbs)
    _add_bless(verbs)
    _add_runs(verbs)
    _add_compare(verbs)
    _add_report(verbs)


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
    _add_allow_anomalies(verb)
    add_config(verb, default="local")


def _add_retrain(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "retrain",
        help="run the DAG if there is reason to: new posters, drift, age",
        description=_RETRAIN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument(
        "--force", metavar="WHY", help="run whatever the limits say; the reason is kept"
    )
    verb.add_argument(
        "--dry-run", action="store_true", help="decide and say why; run and write down nothing"
    )
    verb.add_argument(
        "--json",
        action="store_true",
        help="print the decision as one JSON object, and nothing else",
    )
    _add_allow_anomalies(verb)
    add_config(verb, default="local")


def _add_decisions(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "decisions", help="list what `posters retrain` decided, why, and what came of it"
    )
    verb.add_argument("--json", action="store_true", help="one JSON object a line")
    add_workspace(verb)


def _add_allow_anomalies(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--allow-anomalies",
        metavar="REASON",
        help="go on whatever DataGate finds; the reason is kept with the run",
    )


def _add_bless(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser(
        "bless",
        help="push a model that the Evaluator refused, on the record",
        description="Blesses the model of a refused run by hand and pushes it at once. Who, when "
        "and why is kept in ML Metadata, beside what was overridden, and in the run's "
        "summary.json. Later runs compare their models with it like with any blessed one.",
    )
    verb.add_argument(
        "version", metavar="VERSION", help="the refused run, by the name that `posters run` prints"
    )
    verb.add_argument("--reason", required=True, help="why, in a sentence")
    add_config(verb, default="local")


def _add_runs(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("runs", help="list the runs: data, macro-F1, what came of them")
    add_workspace(verb)


def _add_compare(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("compare", help="show two runs side by side, label by label")
    verb.add_argument("first", metavar="A", help="a run: its id, how that begins, or its folder")
    verb.add_argument("second", metavar="B", help="another run")
    add_workspace(verb)


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
    add_workspace(verb)

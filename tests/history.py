"""Histories of a pipeline, written by hand: what `executions.read` makes of ML Metadata."""

from ml_metadata.proto import metadata_store_pb2

from pipeline.history.executions import Artifact, Execution, Executions, Run

ROOT = "/w/artifacts"


class HistoryBook:
    """Writes runs of a small DAG: StatisticsGen, and Trainer, Evaluator and Pusher, on examples."""

    def __init__(self):
        self.runs, self.artifacts = [], {}
        self._cache = {}
        self._executions = 0

    @property
    def history(self):
        return Executions(self.runs, self.artifacts)

    def run(self, data="a", settings="s", blessed=True, pushed=True, until=None):
        """One run; a node with the same inputs and settings as before is cached."""
        name = f"run-{len(self.runs):03}"
        done = self._run = []
        examples = self._node(name, "ExampleGen", data, {}, "examples", "Examples")
        self._node(name, "StatisticsGen", "", {"examples": examples}, "statistics", "Statistics")
        if until != "StatisticsGen":
            model = self._node(name, "Trainer", settings, {"examples": examples}, "model", "Model")
            verdict = self._node(
                name, "Evaluator", str(blessed), {"model": model, "examples": examples},
                "blessing", "ModelBlessing", blessed=int(blessed), current_model_id=model,
            )  # fmt: skip
            self._node(
                name, "Pusher", str(pushed and blessed),
                {"model": model, "model_blessing": verdict},
                "pushed_model", "PushedModel", pushed=int(pushed and blessed),
                pushed_destination=f"/w/models/{len(self.runs) + 1}",
            )  # fmt: skip
        self.runs.append(Run(name, {}, done))
        return {execution.node: execution for execution in done}

    def _node(self, run, node, settings, inputs, key, kind, **properties):
        same = (node, settings, tuple(sorted(inputs.items())))
        state = "CACHED" if same in self._cache else "COMPLETE"
        if same not in self._cache:
            number = len(self.artifacts) + 1
            self._cache[same] = number
            self.add(number, kind, f"{ROOT}/{node}/{key}/{number}", **properties)
        self._executions += 1
        execution = Execution(
            self._executions, node, run, state, self._executions, 1.0, {},
            {name: [artifact] for name, artifact in inputs.items()}, {key: [self._cache[same]]},
        )  # fmt: skip
        self._run.append(execution)
        return self._cache[same]

    def add(self, number, kind, uri, state="LIVE", **properties):
        proto = metadata_store_pb2.Artifact(id=number, uri=uri, state=state)
        self.artifacts[number] = Artifact(number, kind, uri, properties, state, proto)

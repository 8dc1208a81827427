"""Runs the command of one task that is a container."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as spec_pb2

from components.errors import PostersError
from pipeline.runners.kubeflow_local import placeholders, process
from pipeline.runners.kubeflow_local.artifacts import Values
from pipeline.runners.usage import NOTHING, Used

_Container = spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec


@dataclasses.dataclass
class ContainerTask:
    """One container and what it is given.

    Attributes:
      name: the task's.
      component: for the outputs that it makes.
      container: command, arguments and environment.
      given: its inputs.
      folder: where its outputs go, a folder each.
      prefix: with a key after it, the name of an output.
      log: what its processes write.
      used: by its processes, once they are done.
    """

    name: str
    component: spec_pb2.ComponentSpec
    container: _Container
    given: Values
    folder: Path
    prefix: str
    log: Path
    used: Used = NOTHING

    def __post_init__(self) -> None:
        self._input = self._executor_input()

    def execute(self) -> Values:
        """Runs the command.

        Returns:
          What it made.

        Raises:
          PostersError: it failed, or said nothing of an output that it should have made.
        """
        self._run()
        said = self._executor_output()
        self._take_over(said)
        wanted = self.component.output_definitions
        if missing := sorted(wanted.parameters.keys() - said.parameter_values.keys()):
            raise PostersError(f"it gave no value to its output {', '.join(missing)}.")
        return Values(
            artifacts={
                key: list(self._input.outputs.artifacts[key].artifacts) for key in wanted.artifacts
            },
            parameters={key: said.parameter_values[key] for key in wanted.parameters},
        )

    def _run(self) -> None:
        command = [*self.container.command, *self.container.args]
        Path(self._input.outputs.output_file).parent.mkdir(parents=True, exist_ok=True)
        filled = [placeholders.fill(argument, self._input) for argument in command]
        variables = {variable.name: variable.value for variable in self.container.env}
        self.used = process.run(filled, variables, self.log)

    def _executor_input(self) -> spec_pb2.ExecutorInput:
        made = spec_pb2.ExecutorInput()
        for key, artifacts in self.given.artifacts.items():
            made.inputs.artifacts[key].artifacts.extend(artifacts)
        for key, value in self.given.parameters.items():
            made.inputs.parameter_values[key].CopyFrom(value)
        for key, output in self.component.output_definitions.artifacts.items():
            made.outputs.artifacts[key].artifacts.add(
                name=f"{self.prefix}/{key}",
                uri=str(self.folder / key),
                type=output.artifact_type,
                metadata=output.metadata,
            )
        for key in self.component.output_definitions.parameters:
            made.outputs.parameters[key].output_file = str(self.folder / f"{key}.parameter")
        made.outputs.output_file = str(self.folder / "executor_output.json")
        return made

    def _executor_output(self) -> spec_pb2.ExecutorOutput:
        path = Path(self._input.outputs.output_file)
        output = spec_pb2.ExecutorOutput()
        if path.exists():
            try:
                json_format.Parse(path.read_text(encoding="utf-8"), output)
            except json_format.ParseError as error:
                raise PostersError(f"what it wrote to {path} is no output: {error}") from error
        return output

    def _take_over(self, said: spec_pb2.ExecutorOutput) -> None:
        """Adds to the outputs what the container says of them: metadata, and another address."""
        for key, artifacts in said.artifacts.items():
            if key not in self._input.outputs.artifacts:
                raise PostersError(f"it speaks of an output {key}, which it should not have.")
            (output,) = self._input.outputs.artifacts[key].artifacts
            for artifact in artifacts.artifacts:
                output.uri = artifact.uri or output.uri
                output.metadata.update(json_format.MessageToDict(artifact.metadata))

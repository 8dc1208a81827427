"""ExampleGen's work: find which spans are new, and bring the shards of all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components import paths
from components.errors import PostersError
from components.files import write_bytes
from components.gate import accepted
from components.spans import reading
from components.spans.reading import SPLITS, Span
from components.spans.record import SpanRecord, WindowRecord

#: What the artifact says in the place of `spans`, if there is one.
SPANS_FILE = "spans.json"


class ExampleGenExecutor(base_executor.BaseExecutor):
    """Brings shards as they are: nothing is read, and nothing of the data root is changed."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class.

        Args:
          input_dict: `window`, one artifact or none.
          output_dict: `examples` and `new_examples`, one artifact each.
          exec_properties: see `ExampleGenSpec`.

        Raises:
          PostersError: a span is not what it was when the DAG was built.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        spans = _read(exec_properties["data_root"], _wanted(input_dict, exec_properties))
        labels = _vocabulary(spans, json.loads(exec_properties["labels"]))
        new = _new(spans, exec_properties["accepted_folder"])
        window = WindowRecord(tuple(map(SpanRecord.of, spans)), labels, new)
        for key, chosen in (
            ("examples", spans),
            ("new_examples", [span for span in spans if span.number in new]),
        ):
            artifact = artifact_utils.get_single_instance(output_dict[key])
            bring(chosen, artifact.uri)
            window.write(artifact.uri)
            artifact.split_names = artifact_utils.encode_split_names(list(SPLITS))
            artifact.span = spans[-1].number
            examples_utils.set_payload_format(
                artifact, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE
            )


def bring(spans: Sequence[Span], folder: str) -> None:
    """Puts the shards of spans below a folder, as TFX lays out the splits of examples.

    Args:
      spans: each with a name of its own.
      folder: the artifact's.

    Raises:
      PostersError: a shard is not of the size that its manifest says.
    """
    for span in spans:
        _check_sizes(span)
        for name in span.shards:
            paths.bring_file(span.folder / name, paths.to_path(folder) / span.placed(name))
    for split in SPLITS:
        if not any(span.examples[split] for span in spans):
            # Beam fails where there is no file; one without records is one that has none.
            write_bytes(paths.to_path(folder) / f"Split-{split}" / "none.tfrecord", b"")


def _wanted(inputs: dict[str, list[types.Artifact]], properties: dict[str, Any]) -> dict[int, str]:
    text = properties["spans"]
    if inputs.get("window"):
        folder = artifact_utils.get_single_uri(inputs["window"])
        text = (paths.to_path(folder) / SPANS_FILE).read_text(encoding="utf-8")
    return {int(number): digest for number, digest in json.loads(text).items()}


def _read(data_root: str, wanted: Mapping[int, str]) -> list[Span]:
    root = paths.to_path(data_root)
    spans = [reading.read(root, number) for number in sorted(wanted)]
    if changed := [span for span in spans if span.digest != wanted[span.number]]:
        raise PostersError(
            f"{changed[0].folder} is not the span that it was when the job was made: its manifest "
            "is another. Make the job again, and let nobody change spans."
        )
    return spans


def _vocabulary(spans: Sequence[Span], labels: Sequence[str]) -> tuple[str, ...]:
    found = reading.read_vocabulary(spans[-1].folder)
    if found != tuple(labels):
        raise PostersError(
            f"{spans[-1].folder} has {len(found)} labels, and the job was made for {len(labels)}: "
            f"{', '.join(sorted(set(found) ^ set(labels))) or 'their order'} differs. Make the job "
            "again."
        )
    return found


def _new(spans: Sequence[Span], accepted_folder: str) -> tuple[int, ...]:
    """Those that the gate has not let through; the newest if it has let through all."""
    known = {(record.span, record.manifest) for record in accepted.read_all(accepted_folder)}
    new = tuple(span.number for span in spans if (span.number, span.digest) not in known)
    return new or (spans[-1].number,)


def _check_sizes(span: Span) -> None:
    wanted = span.shards
    found = paths.sizes(span.folder, list(wanted))
    for name, size in wanted.items():
        if found.get(name) != size:
            state = f"{found[name]} bytes" if name in found else "missing"
            raise PostersError(
                f"{span.folder / name} is {state}, and its {reading.MANIFEST} says {size} bytes: "
                f"the span is damaged. Put it back, or remove {span.folder} and ingest again."
            )

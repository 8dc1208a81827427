"""TFX's Pusher, publishing a version by one rename, or holding it back for a person.

TFX copies a model file by file into the folder a server watches; cut off half way it leaves a
version that looks like one. Here the copy has a name no server reads until it is whole.
"""

from __future__ import annotations

import posixpath
from typing import Any, Literal

from tfx import types
from tfx.components.pusher import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils, json_utils, proto_utils

#: Custom properties of a PushedModel artifact, as TFX's Pusher writes them.
PUSHED = "pushed"
DESTINATION = "pushed_destination"
VERSION = "pushed_version"
#: One of ours: 1 if the model might have been pushed and waits for a person.
HELD = "held_back"
_APPROVAL = "approval"


class AtomicPusherExecutor(executor.Executor):
    """Pushes into a scratch folder beside the versions, then renames it to its version."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See the base class."""
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if _is_manual(exec_properties):
            self._MarkNotPushed(pushed)
            pushed.set_int_custom_property(HELD, int(self.CheckBlessing(input_dict)))
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties["push_destination"], destination)
        base = destination.filesystem.base_directory
        scratch = posixpath.join(base, f".push-{pushed.id or posixpath.basename(pushed.uri)}")
        destination.filesystem.base_directory = scratch
        try:
            super().Do(
                input_dict,
                output_dict,
                {**exec_properties, "push_destination": proto_utils.proto_to_json(destination)},
            )
            if pushed.get_int_custom_property(PUSHED):
                self._publish(pushed, base)
        finally:
            if fileio.exists(scratch):
                fileio.rmtree(scratch)

    def _publish(self, pushed: types.Artifact, base: str) -> None:
        # Versions are seconds. A server takes the highest: a second push within one second, or
        # after the clock was put back, must be higher than what is there.
        version = max(int(pushed.get_string_custom_property(VERSION)), _highest(base) + 1)
        final = posixpath.join(base, str(version))
        fileio.rename(pushed.get_string_custom_property(DESTINATION), final)
        pushed.set_string_custom_property(DESTINATION, final)
        pushed.set_string_custom_property(VERSION, str(version))


def _is_manual(exec_properties: dict[str, Any]) -> bool:
    given = json_utils.loads(exec_properties.get("custom_config") or "null") or {}
    return given.get(_APPROVAL) == "manual"


def _highest(base: str) -> int:
    """The highest version in a folder, or 0."""
    names = (name.rstrip("/") for name in fileio.listdir(base)) if fileio.exists(base) else ()
    return max((int(name) for name in names if name.isdigit()), default=0)


def restore(pushed: types.Artifact) -> bool:
    """Puts a pushed version back where it was pushed, if it is no longer there.

    A cached Pusher does nothing, so a version that was deleted would stay away for good. TFX keeps
    a copy of every pushed model with the artifact.

    Args:
      pushed: the artifact of a model that was pushed.

    Returns:
      Whether it was missing.
    """
    destination = pushed.get_string_custom_property(DESTINATION)
    if fileio.exists(destination):
        return False
    base, version = posixpath.split(destination)
    scratch = posixpath.join(base, f".restore-{version}")
    if fileio.exists(scratch):
        fileio.rmtree(scratch)
    io_utils.copy_dir(pushed.uri, scratch)
    fileio.rename(scratch, destination)
    return True


class Pusher(component.Pusher):
    """Makes a blessed model a numbered version in the folder that serves."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(AtomicPusherExecutor)

    def __init__(
        self, *, approval: Literal["automatic", "manual"] = "automatic", **inputs: Any
    ) -> None:
        """Makes the node.

        Args:
          approval: `manual` holds back what might be pushed; a person pushes it later.
          **inputs: as TFX's Pusher takes them.
        """
        custom_config = {_APPROVAL: approval} if approval == "manual" else None
        super().__init__(custom_config=custom_config, **inputs)

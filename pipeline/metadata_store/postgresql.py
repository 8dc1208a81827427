r"""ML Metadata on PostgreSQL, with backslashes in texts.

ML Metadata 1.16 quotes a text with PQescapeLiteral and strips what it takes for the quotes. Of a
text with a backslash that function makes E'...', and the query ends in a syntax error. JSON within
JSON, such as TFMA's configuration, is full of them. So a backslash is kept as another character,
one that Unicode leaves to private use, and put back when it is read.

PostgreSQL gives rows back in no order, those written to again later than others. TFX takes them to
be ordered by their ids, as other databases give them, and pairs artifacts with events by place: it
would take one output of a cached node for another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_metadata as mlmd
from google.protobuf import descriptor, message
from tfx.orchestration import metadata

#: Fields of answers that are lists of what has an id.
_ORDERED = ("artifacts", "executions", "contexts")
_BACKSLASH, _STAND_IN = "\\", "\ue05c"


class PostgresqlStore(mlmd.MetadataStore):
    """A store whose texts may hold backslashes."""

    def _pywrap_cc_call(self, method: Any, request: Any, response: Any) -> None:
        kept = type(request)()
        kept.CopyFrom(request)
        _change_texts(kept, lambda text: text.replace(_BACKSLASH, _STAND_IN))
        super()._pywrap_cc_call(method, kept, response)
        _change_texts(response, lambda text: text.replace(_STAND_IN, _BACKSLASH))
        if "options" not in request.DESCRIPTOR.fields_by_name or not request.HasField("options"):
            _order(response)


class PostgresqlMetadata(metadata.Metadata):
    """TFX's handle to such a store."""

    def __enter__(self) -> PostgresqlMetadata:
        """Opens the store, as TFX does at each entry."""
        self._store = PostgresqlStore(self._connection_config)
        self._users += 1
        return self


def _order(response: message.Message) -> None:
    """Orders what was found by its ids; an order that was asked for comes with options."""
    for name in _ORDERED:
        if name in response.DESCRIPTOR.fields_by_name:
            getattr(response, name).sort(key=lambda found: found.id)


def _change_texts(found: message.Message, change: Callable[[str], str]) -> None:
    """Changes every text within a message, however deep it lies."""
    for field, value in found.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _change_map(field.message_type.fields_by_name["value"], value, change)
        elif field.type == field.TYPE_MESSAGE:
            repeated = field.label == field.LABEL_REPEATED
            for inner in value if repeated else (value,):
                _change_texts(inner, change)
        elif field.type == field.TYPE_STRING:
            if field.label == field.LABEL_REPEATED:
                value[:] = [change(text) for text in value]
            elif (changed := change(value)) != value:
                setattr(found, field.name, changed)


def _change_map(
    field: descriptor.FieldDescriptor, values: Any, change: Callable[[str], str]
) -> None:
    for key in list(values):
        if field.type == field.TYPE_MESSAGE:
            _change_texts(values[key], change)
        elif field.type == field.TYPE_STRING:
            values[key] = change(values[key])

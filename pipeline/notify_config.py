"""The configuration's section about who is told what came of a run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.section import Section

#: What a run or a decision can come to: a model blessed but held back, a model pushed, a model or
#: data refused, a run that failed, nothing to do.
Kind = Literal["blessed", "pushed", "refused", "failed", "skipped"]
_ALL: tuple[Kind, ...] = ("blessed", "pushed", "refused", "failed", "skipped")


class Webhook(Section):
    """An address that is sent a POST with JSON; one of the two keys.

    Attributes:
      url: the address, if there is nothing secret in it.
      url_variable: name of the environment variable that holds the address; for an address that is
        its own password, as those of chats are.
    """

    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    url_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Webhook:
        if bool(self.url) == bool(self.url_variable):
            raise ValueError("give either url or url_variable")
        return self


class NotifyConfig(Section):
    """Who is told, and of what.

    Attributes:
      events: of which somebody is told.
      webhooks: see `Webhook`.
      command: a program and its arguments, run without a shell; it reads the JSON from its standard
        input.
      timeout_seconds: how long a webhook may take to answer once, and the command to end.
    """

    events: Annotated[tuple[Kind, ...], Field(min_length=1)] = _ALL
    webhooks: tuple[Webhook, ...] = ()
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 10.0

    @model_validator(mode="after")
    def _somebody(self) -> NotifyConfig:
        if not self.webhooks and not self.command:
            raise ValueError("names nobody: give webhooks or a command")
        return self

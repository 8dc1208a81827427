"""Where ML Metadata lies: a file in the workspace, or a server that a team shares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.section import Section

_PORTS = {"mysql": 3306, "postgresql": 5432}


class MetadataConfig(Section):
    """The store of runs and artifacts, for runs on this machine.

    Attributes:
      kind: `sqlite` is a file in the workspace; the others are servers (MariaDB counts as `mysql`).
      host: the server's name or address.
      port: the server's; by default the one that is usual for its kind.
      database: must be there, empty before the first run.
      user: who may read, write and create tables in it.
      password_variable: environment variable that holds the password; absent if there is none.
    """

    kind: Literal["sqlite", "mysql", "postgresql"] = "sqlite"
    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    database: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")] | None = None
    user: str | None = None
    password_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _complete(self) -> MetadataConfig:
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if self.kind == "sqlite":
            if extra := sorted(given - {"kind"}):
                raise ValueError(
                    f"kind sqlite is a file in the workspace and takes no {', '.join(extra)}: take "
                    "them away, or name kind mysql or postgresql"
                )
        elif missing := [name for name in ("host", "database", "user") if name not in given]:
            raise ValueError(f"kind {self.kind} needs {', '.join(missing)} too")
        return self

    @property
    def server_port(self) -> int:
        """The port that the server listens at."""
        return self.port or _PORTS[self.kind]

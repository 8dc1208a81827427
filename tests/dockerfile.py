"""Reads a Dockerfile, as far as this project's own go: stages, instructions, continued lines."""

import dataclasses
import json
import re
import shlex
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One instruction: `name` in capitals, its `flags` (`--from`, `--mount`), and what follows."""

    name: str
    flags: tuple[tuple[str, str], ...]
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments, of the exec form as of the shell form."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)

    def flag(self, name: str) -> str | None:
        return dict(self.flags).get(name)

    def mounts(self) -> list[dict[str, str]]:
        return [
            dict(part.split("=", 1) for part in value.split(","))
            for name, value in self.flags
            if name == "mount"
        ]


@dataclasses.dataclass(frozen=True)
class Stage:
    """What follows one FROM: the image or earlier stage built upon, and the instructions."""

    name: str
    base: str
    instructions: tuple[Instruction, ...]

    def all(self, name: str) -> list[Instruction]:
        return [step for step in self.instructions if step.name == name]

    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for step in self.all("ENV") for word in step.words)


def read(path: Path) -> list[Stage]:
    """The stages in order; the last is the image. ARGs before the first FROM are filled in."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, rest = line.split(None, 1)
        if name == "ARG":
            arguments.update([rest.split("=", 1)])
        elif name == "FROM":
            base, _, alias = rest.partition(" AS ")
            filled = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], base)
            stages.append(Stage(alias, filled, ()))
        else:
            flags = []
            while match := re.match(r"--(\w+)=(\S+)\s+", rest):
                flags.append((match[1], match[2]))
                rest = rest[match.end() :]
            step = Instruction(name, tuple(flags), rest.strip())
            last = stages[-1]
            stages[-1] = dataclasses.replace(last, instructions=(*last.instructions, step))
    return stages

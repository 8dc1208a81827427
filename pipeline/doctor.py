"""`posters doctor`: what is wrong with an environment, and how to mend each."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pipeline.findings import Finding, Status, hub, machine, stack


def run_doctor(hub_handle: str | None, workspace: Path, console: Console) -> int:
    """Looks at everything and prints it; returns the exit status, 1 if anything fails."""
    with console.status("looking: TensorFlow takes some seconds to import"):
        findings = diagnose(hub_handle, workspace)
    print_findings(findings, console)
    return int(any(finding.status is Status.FAIL for finding in findings))


def diagnose(hub_handle: str | None, workspace: Path) -> list[Finding]:
    """Looks at everything that a run on this machine needs.

    Args:
      hub_handle: the feature extractor that the configuration names, or None.
      workspace: the folder that runs write to; it need not exist.
    """
    environment = os.environ
    return [
        stack.check_python(sys.version_info[:3]),
        machine.check_platform(platform.system(), platform.machine(), platform.libc_ver()),
        *stack.check_pins(stack.stack_requirements(), stack.installed_version),
        *stack.check_tensorflow(stack.probe_tensorflow(), stack.has_nvidia_driver(), environment),
        stack.check_bytecode(stack.site_packages()),
        *stack.check_variables(environment),
        machine.check_disk(workspace),
        machine.check_memory(machine.usable_memory()),
        hub.check_hub(hub_handle, environment, hub.reach),
    ]


def print_findings(findings: list[Finding], console: Console) -> None:
    """Prints a line for each finding, how to mend it below, and a summary."""
    colours = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "red"}
    width = max(len(finding.name) for finding in findings)
    shown = {""}
    for finding in findings:
        # Text, not markup: a path or a version may hold square brackets. Soft wrapping leaves lines
        # whole, so that a command can be copied.
        line = Text(f"{finding.status.value:4}", style=colours[finding.status])
        line.append(f"  {finding.name:{width}}  {finding.found}", style="default")
        console.print(line, soft_wrap=True)
        if finding.mend not in shown:
            console.print(Text(f"{'':{width + 8}}-> {finding.mend}"), soft_wrap=True)
        shown.add(finding.mend)
    counts = {status: sum(finding.status is status for finding in findings) for status in Status}
    console.print(
        f"{counts[Status.OK]} as they should be, {counts[Status.WARN]} to watch, "
        f"{counts[Status.FAIL]} to mend",
        soft_wrap=True,
    )

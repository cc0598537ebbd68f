"""Figures of a bench: percentiles, CPU time of another process, core pinning. Linux reads /proc; elsewhere CPU figures are None."""

import os
from collections.abc import Sequence
from pathlib import Path


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0–1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def cpu_seconds(pid: int) -> float | None:
    """User and system seconds a process has used, with its reaped children."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def pss_mib(pid: int) -> float | None:
    """Proportional set size of a process in MiB."""
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    if not rollup.exists():
        return None
    kib = next(int(line.split()[1]) for line in rollup.read_text().splitlines() if line.startswith("Pss:"))
    return kib / 1024


def pin(core: int, pid: int = 0) -> None:
    """Keeps a process (0: this one) on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {core % (os.cpu_count() or 1)})

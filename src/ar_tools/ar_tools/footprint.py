"""What processes of this machine use, as /proc says."""

from __future__ import annotations

import os
from pathlib import Path

PAGE, TICK = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Resident memory in MB (10^6 bytes), shared pages included; 0 for a process that has gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1e6
    except (OSError, IndexError):
        return 0.0


def own_mb(pid: int) -> float:
    """Resident memory in MB that is a process's own: without files and shared memory, whose size is fixed."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(fields[1]) - int(fields[2])) * PAGE / 1e6
    except (OSError, IndexError):
        return 0.0


def proportional_mb(pid: int) -> float:
    """Like `resident_mb`, but pages that several processes share count by their share; slow: the kernel walks all pages."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss:"))


def cpu_s(pid: int) -> float:
    """CPU time, user and system, of a process with all its threads; 0 for one that has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    except (OSError, IndexError):
        return 0.0


def machine_cpu_s() -> float:
    """CPU time that all processors have been busy since the machine started, other machines' share (steal) included."""
    user, nice, system, _, _, irq, softirq, steal = Path("/proc/stat").read_text().split()[1:9]
    return sum(int(ticks) for ticks in (user, nice, system, irq, softirq, steal)) / TICK

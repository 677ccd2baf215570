"""What processes cost, from /proc: CPU seconds and resident memory."""

import os
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process_id: int) -> float:
    """User and system time of a process so far, in seconds."""
    # The name in the second field may hold spaces and brackets.
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


def resident_mb(process_id: int) -> float:
    """Resident memory of a process, in MB of 10**6 bytes."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6


def group_cpu_seconds(cgroup: str) -> float:
    """CPU time so far of all processes of a control group, in seconds; with either version of control groups."""
    first, second = Path("/sys/fs/cgroup/cpuacct", cgroup, "cpuacct.usage"), Path("/sys/fs/cgroup", cgroup, "cpu.stat")
    if first.exists():
        return int(first.read_text()) / 1e9
    if second.exists():
        return int(second.read_text().split()[1]) / 1e6
    return float("nan")

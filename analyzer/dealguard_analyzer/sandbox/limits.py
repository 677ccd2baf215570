"""The limits a child puts on itself before it looks at the file. The kernel enforces them, whatever the parser does."""

import math
import resource
import signal
import sys


def apply_limits(max_memory_bytes: int, max_cpu_seconds: float) -> None:
    """Bound this process's address space and CPU time for good; no core dumps, no files.

    Args:
        max_memory_bytes: of address space. pdfium aborts where it gets no more (SIGABRT, not an exception).
        max_cpu_seconds: for all pages together; beyond it the kernel ends the process (SIGXCPU).
    """
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CPU, math.ceil(max_cpu_seconds))
    if sys.platform == "linux":  # elsewhere the address space has no useful bound
        _lower(resource.RLIMIT_AS, max_memory_bytes)
        _die_with_parent()


def start_step(max_cpu_seconds: float) -> None:
    """Give the next step (opening, one page) this much CPU time; beyond it the kernel ends the process (SIGPROF).

    CPU time, not wall-clock time: a busy machine must not decide which page is readable.
    """
    signal.setitimer(signal.ITIMER_PROF, max_cpu_seconds)


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


def _die_with_parent() -> None:
    """Have the kernel end this process when its parent is gone, so that a killed analysis leaves nothing behind."""
    import ctypes  # noqa: PLC0415 - Linux only

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(signal.SIGKILL), 0, 0, 0)

"""What Python's and the C library's memory management are told: an operator lives for months, through bursts."""

import ctypes
import gc
from collections.abc import Callable

# By default Python looks for cycles after 700 new objects; one decoded pod has 400, and none of them is in a cycle. But
# finished tasks are, Kopf's with the object they were about: looking too rarely (after 50,000) spreads what is kept
# over 10 MB more, which do not come back when it is let go.
_GC_THRESHOLDS = (5_000, 10, 20)


def prepare() -> None:
    """Once, when everything is imported: look for cycles less often, and not in what stays for ever."""
    gc.set_threshold(*_GC_THRESHOLDS)
    gc.collect()
    gc.freeze()


def _find_trim() -> Callable[[int], int]:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):  # not glibc
        return lambda _: 0


_trim = _find_trim()


def give_back(*, is_thorough: bool) -> None:
    """Return free memory to the machine: by itself the C library keeps what lies below anything still in use.

    Args:
        is_thorough: look for cycles in everything that is known, which takes some 20 ms per thousand analyses; else
            only in what is new since the last times, which takes a few.
    """
    gc.collect(2 if is_thorough else 1)  # broken-off tasks and requests leave cycles, by the thresholds for hours
    _trim(0)

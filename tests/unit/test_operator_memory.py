"""What the operator's memory management is told."""

import gc
import subprocess
import sys
import weakref

from dealguard_operator import memory


class Part:
    """Something that refers to itself."""

    def __init__(self) -> None:
        self.whole = self


def test_what_is_only_in_a_cycle_is_given_back() -> None:
    gc.disable()
    try:
        part = Part()
        is_there = weakref.ref(part)
        del part
        assert is_there() is not None
        memory.give_back()
        assert is_there() is None
    finally:
        gc.enable()


def test_what_was_imported_is_not_looked_through_again() -> None:
    """In a process of its own: what is frozen there stays so."""
    script = (
        "import gc; from dealguard_operator import memory; "
        "before = gc.get_freeze_count(); memory.prepare(); "
        "print(before, gc.get_freeze_count() > 1000, gc.get_threshold()[0])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["0", "True", "50000"]

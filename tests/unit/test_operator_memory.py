"""What the operator's memory management is told."""

import gc
import subprocess
import sys
import weakref

import pytest

from dealguard_operator import memory


class Part:
    """Something that refers to itself."""

    def __init__(self) -> None:
        self.whole = self


@pytest.mark.parametrize(
    ("looks_before", "is_thorough", "is_found"), [(0, False, True), (2, False, False), (2, True, True)]
)
def test_what_is_only_in_a_cycle_is_given_back(looks_before: int, is_thorough: bool, is_found: bool) -> None:
    gc.disable()
    try:
        part = Part()
        is_there = weakref.ref(part)
        for _ in range(looks_before):
            memory.give_back(is_thorough=False)
        del part
        assert is_there() is not None
        memory.give_back(is_thorough=is_thorough)
        assert (is_there() is None) is is_found, "what was there for long is only looked at thoroughly"
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
    assert told.stdout.split() == ["0", "True", "5000"]

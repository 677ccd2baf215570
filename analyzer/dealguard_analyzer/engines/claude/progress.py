"""How far the answers are, as steps that a progress bar can show."""

from collections.abc import Callable

# An answer on a long contract has some 40,000 characters; used only to show progress.
_EXPECTED_CHARACTERS = 40_000


class Progress:
    """Turns windows and characters into (done, total).

    Args:
        on_progress: told (steps done, steps in all).
    """

    def __init__(self, on_progress: Callable[[int, int], None]) -> None:
        self._on_progress = on_progress
        self._done = 0
        self._windows = 1

    def begin(self, finished_windows: int, remaining_windows: int) -> None:
        """A window begins."""
        self._done = finished_windows * _EXPECTED_CHARACTERS
        self._windows = finished_windows + remaining_windows

    def on_characters(self, characters: int) -> None:
        """So much of its answer has arrived."""
        done = self._done + min(characters, _EXPECTED_CHARACTERS - 1)
        self._on_progress(done, self._windows * _EXPECTED_CHARACTERS)

    def end(self) -> None:
        """All is done."""
        total = self._windows * _EXPECTED_CHARACTERS
        self._on_progress(total, total)

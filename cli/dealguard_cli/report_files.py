"""`--output-dir`: each report in a file of its own, named after its contract."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from dealguard_api.report import Report
from dealguard_cli.errors import BadInputError, CliReason, ExitStatus
from dealguard_cli.local_analysis import Failure, Outcome
from dealguard_cli.presentation.outcomes import Output, Written
from dealguard_cli.presentation.report import in_format
from dealguard_cli.presentation.terminal import shown_name

FileFormat = Literal["html", "json", "markdown"]

_ENDINGS: dict[FileFormat, str] = {"html": ".html", "json": ".json", "markdown": ".md"}


@dataclass(frozen=True)
class ReportFolder:
    """Where reports are written, and in which format."""

    path: Path
    format: FileFormat

    @classmethod
    def at(cls, path: Path, output: Output | None) -> Self:
        """The folder, made if need be, before anything is analysed for it. The format is HTML unless said otherwise.

        Raises:
            BadInputError: it cannot be written to.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise BadInputError(
                CliReason.FILE_UNWRITABLE,
                f"Reports cannot be written to {path}: {error.strerror}. Name another folder with --output-dir.",
            ) from error
        return cls(path, output if output in ("html", "json", "markdown") else "html")

    def write(self, outcomes: Sequence[Outcome]) -> list[Written]:
        """Each report in its file, over what an earlier call wrote there."""
        names = _distinct_names([outcome.file for outcome in outcomes])
        return [self._write(outcome, name) for outcome, name in zip(outcomes, names, strict=True)]

    def _write(self, outcome: Outcome, name: str) -> Written:
        if not isinstance(outcome.result, Report):
            return Written(outcome, None)
        target = self.path / (name + _ENDINGS[self.format])
        try:
            _replace(target, in_format(outcome.result, self.format, outcome.file.name))
        except OSError as error:
            message = f"Its report cannot be written to {target}: {error.strerror}. Make room or name another folder."
            return Written(
                Outcome(outcome.file, Failure(CliReason.FILE_UNWRITABLE, message, ExitStatus.OUTPUT_UNWRITABLE)), None
            )
        return Written(outcome, target)


def _distinct_names(files: Sequence[Path]) -> Iterator[str]:
    """The files' names without ending; 'lease', 'lease-2' where contracts of several folders are named alike."""
    used: set[str] = set()
    for file in files:
        # A name with control characters would drive the terminal of whoever lists the folder.
        stem = shown_name(file.stem).replace("\N{REPLACEMENT CHARACTER}", "_")
        name, number = stem, 1
        while name.casefold() in used:
            number += 1
            name = f"{stem}-{number}"
        used.add(name.casefold())
        yield name


def _replace(target: Path, content: str) -> None:
    """All of the content or none of it: a reader never sees half a report."""
    partial = target.with_name(f".{target.name}.part")
    try:
        partial.write_text(content, encoding="utf-8", newline="\n")
        partial.replace(target)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise

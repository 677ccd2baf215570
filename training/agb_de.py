"""AGB-DE in the form of JSON lines: clauses of German standard terms, their topics, and whether lawyers call them void.

One JSON object a line: `title`, `text`, `topics`, `void`, `contract`.
Source: D. Braun et al., CC BY-SA 4.0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training import json_lines
from training.json_lines import MalformedError


@dataclass(frozen=True)
class LabelledClause:
    """One clause. `contract` groups what must not be split between training and measuring."""

    title: str
    text: str
    topics: frozenset[str]
    void: bool
    contract: str


def read_clauses(path: Path) -> Iterator[LabelledClause]:
    """The clauses of a file, plain or gzipped.

    Raises:
        MalformedError: the file or a line is not of that form; the message names it.
    """
    for number, content in json_lines.read(path):
        try:
            clause = LabelledClause(
                title=content["title"] or "",
                text=content["text"] or "",
                topics=frozenset(content["topics"]),
                void=bool(content["void"]),
                contract=str(content["contract"]),
            )
        except (KeyError, TypeError) as error:
            raise MalformedError(f"line {number} of {path.name} is not a labelled clause ({error!r})") from None
        yield clause

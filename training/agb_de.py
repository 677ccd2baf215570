"""AGB-DE in the form of JSON lines: clauses of German standard terms, their topics, and whether lawyers call them void.

One JSON object a line: `title`, `text`, `topics`, `void`, `contract`.
Source: D. Braun et al., CC BY-SA 4.0.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LabelledClause:
    """One clause. `contract` groups what must not be split between training and measuring."""

    title: str
    text: str
    topics: frozenset[str]
    void: bool
    contract: str


def read_clauses(path: Path) -> Iterator[LabelledClause]:
    """The clauses of a file.

    Raises:
        ValueError: a line is not of that form; the message names it.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                content = json.loads(line)
                yield LabelledClause(
                    title=content["title"] or "",
                    text=content["text"] or "",
                    topics=frozenset(content["topics"]),
                    void=bool(content["void"]),
                    contract=str(content["contract"]),
                )
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"line {number} of {path.name} is not a labelled clause ({error!r})") from None

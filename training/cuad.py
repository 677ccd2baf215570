"""CUAD v1 in the form of JSON lines: contracts, their text by page, and the passages that lawyers marked.

One JSON object a line: `id`, `split`, `pages` (text of each page), `spans` (`category`, `text`, `pages` from 1),
`answers` (normalised answer by category; dates M/D/YY).
Source: The Atticus Project, CC BY 4.0.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dealguard_analyzer.document import ExtractedDocument, Page
from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_analyzer.quotes import QuoteIndex
from dealguard_api.report import DocumentInfo
from training import json_lines
from training.json_lines import MalformedError

# The annotators left out words within a passage here.
_OMITTED = "<omitted>"
_DATE = re.compile(r"(\d{1,2})/(\d{1,2}|\[\])/(\d{2}|\d{4})")
_CENTURY_TURNS = 50  # two digits below this are of this century
# A sentence belongs to a passage if half of it does, or if it holds most of a short passage.
_SHARE_OF_SENTENCE = 0.5
_SHARE_OF_PASSAGE = 0.6


@dataclass(frozen=True)
class Passage:
    """A passage that a lawyer marked: whole words of the contract, without what was omitted in between."""

    category: str
    text: str
    pages: frozenset[int]


@dataclass(frozen=True)
class Contract:
    """One labelled contract."""

    id: str
    split: str
    document: ExtractedDocument
    passages: tuple[Passage, ...]
    answers: dict[str, str]

    @property
    def categories(self) -> frozenset[str]:
        """The categories that are present."""
        return frozenset(passage.category for passage in self.passages)


def read_contracts(path: Path) -> Iterator[Contract]:
    """The contracts of a file, plain or gzipped.

    Raises:
        MalformedError: the file or a line is not of that form; the message names it.
    """
    for number, content in json_lines.read(path):
        try:
            contract = _contract(content)
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedError(f"line {number} of {path.name} is not a labelled contract ({error!r})") from None
        yield contract


def _contract(content: dict[str, object]) -> Contract:
    pages, spans, answers = content["pages"], content["spans"], content.get("answers", {})
    if not isinstance(pages, list) or not isinstance(spans, list) or not isinstance(answers, dict):
        raise TypeError("pages and spans are lists, answers is an object")
    text = tuple(Page(number, str(page)) for number, page in enumerate(pages, 1))
    size = sum(len(page.text.encode()) for page in text)
    info = DocumentInfo(sha256="0" * 64, bytes=size, pages=len(text), language="en")
    passages = tuple(
        Passage(str(span["category"]), piece.strip(), frozenset(span["pages"]))
        for span in spans
        for piece in str(span["text"]).split(_OMITTED)
        if piece.strip()
    )
    return Contract(
        id=str(content["id"]),
        split=str(content.get("split", "")),
        document=ExtractedDocument(info, text),
        passages=passages,
        answers={str(name): str(answer) for name, answer in answers.items()},
    )


def iso_date(answer: str) -> str | None:
    """An answer's M/D/YY as YYYY-MM-DD, its M/[]/YY as YYYY-MM; None where it leaves more open."""
    match = _DATE.fullmatch(answer.strip())
    if match is None:
        return None
    year = int(match[3])
    if year < 100:
        year += 2000 if year < _CENTURY_TURNS else 1900
    return f"{year:04}-{int(match[1]):02}" + ("" if match[2] == "[]" else f"-{int(match[2]):02}")


def label_sentences(contract: Contract, text: ContractText, categories: tuple[str, ...]) -> NDArray[np.int8]:
    """Which sentences belong to which category: (sentences, categories), 0 or 1."""
    labels = np.zeros((len(text.sentences), len(categories)), np.int8)
    index = QuoteIndex(contract.document)
    numbers = {category: number for number, category in enumerate(categories)}
    ends = [sentence.end for sentence in text.sentences]
    for passage in contract.passages:
        if passage.category not in numbers:
            continue
        for start, end in index.places(passage.text, passage.pages):
            first = bisect_right(ends, start)
            for sentence in text.sentences[first:]:
                if sentence.start >= end:
                    break
                shared = min(end, sentence.end) - max(start, sentence.start)
                if shared >= min(
                    _SHARE_OF_SENTENCE * (sentence.end - sentence.start), _SHARE_OF_PASSAGE * (end - start)
                ):
                    labels[sentence.index, numbers[passage.category]] = 1
    return labels

"""Finding a quote in the document: the check behind every citation.

Extraction, a model and a reader write the same passage differently: line breaks, hyphens at line ends, curly quotes,
ligatures. These differences do not count; every letter and digit does.
"""

import unicodedata
from array import array
from collections.abc import Collection, Iterator

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.running_text import MAX_QUOTE_CHARACTERS, RunningText
from dealguard_api.report import Citation

_HYPHENS = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad\ufffe")
_SINGLE_QUOTES = frozenset("'‘’‚‛`´′‹›")
_DOUBLE_QUOTES = frozenset('"“”„‟″«»')
_INVISIBLE = frozenset(
    "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def _normalise_character(character: str) -> str:
    """What stands for `character` when passages are compared; '' if it does not count."""
    if character.isspace() or character in _HYPHENS or character in _INVISIBLE:
        return ""
    if character in _SINGLE_QUOTES:
        return "'"
    if character in _DOUBLE_QUOTES:
        return '"'
    compatible = unicodedata.normalize("NFKD", character)  # ligatures apart, ü as one character or as two alike
    return "".join(part for part in compatible if not part.isspace())


class _NormalForms(dict[int, str]):
    """`_normalise_character`, remembered: a document has few different characters. A table for str.translate."""

    def __missing__(self, code: int) -> str:
        form = self[code] = _normalise_character(chr(code))
        return form


_FORMS = _NormalForms()


def normalise(text: str) -> str:
    """`text` without what does not count when passages are compared."""
    return text.translate(_FORMS)


class QuoteIndex:
    """A document prepared for finding quotes; build it once a document."""

    def __init__(self, document: ExtractedDocument) -> None:
        self._document = document
        # Without headers and footers first, for quotes over a page break; with them for whatever stands in one.
        self._indexes = [_Index(RunningText(document)), _Index(RunningText(document, keep_edges=True))]

    def locate(self, quote: str, page_hint: int | None = None) -> Citation:
        """Where `quote` stands.

        Args:
            quote: the passage, as a model wrote it.
            page_hint: the page it is said to stand on, from 1; decides between repetitions.

        Returns:
            The document's own words with page, offsets and rectangles, verified; or, if they are not in the document,
            `quote` itself, unverified, on the page that was said (else 1).
        """
        wanted = normalise(quote)
        if len(quote) <= MAX_QUOTE_CHARACTERS and any(character.isalnum() for character in wanted):
            for index in self._indexes:
                if (citation := index.find(wanted, page_hint)) is not None:
                    return citation
        return Citation(quote=quote[:MAX_QUOTE_CHARACTERS], page=max(1, page_hint or 1), verified=False)

    def places(self, passage: str, pages: Collection[int] = ()) -> list[tuple[int, int]]:
        """Every (start, end) in the running text at which `passage` stands: those on `pages` if there are any."""
        wanted = normalise(passage)
        found = list(self._indexes[0].occurrences(wanted)) if wanted else []
        return [place for place in found if self._indexes[0].pages_of(*place) & set(pages)] or found


class _Index:
    """One running text in normal form, and where each of its characters comes from."""

    def __init__(self, running: RunningText) -> None:
        self._running = running
        origins = array("L")
        parts: list[str] = []
        for offset, character in enumerate(running.text):
            form = _FORMS[ord(character)]
            if form:
                parts.append(form)
                origins.extend([offset] * len(form))
        self._normal = "".join(parts)
        self._origins = origins

    def find(self, wanted: str, page_hint: int | None) -> Citation | None:
        """The occurrence on the page that was said, else the first one, else None."""
        first: tuple[int, int] | None = None
        for start, end in self.occurrences(wanted):
            if page_hint is None or self._running.page_number(start) == page_hint:
                return self._running.cite(start, end)
            first = first or (start, end)
        return self._running.cite(*first) if first else None

    def pages_of(self, start: int, end: int) -> set[int]:
        """The pages on which the passage begins and ends."""
        return {self._running.page_number(start), self._running.page_number(max(start, end - 1))}

    def occurrences(self, wanted: str) -> Iterator[tuple[int, int]]:
        """Every place of a passage in normal form, in order; offsets of the running text."""
        position = self._normal.find(wanted)
        while position >= 0:
            start, end = self._origins[position], self._origins[position + len(wanted) - 1] + 1
            if self._is_whole(start, end):
                yield start, end
            position = self._normal.find(wanted, position + 1)

    def _is_whole(self, start: int, end: int) -> bool:
        """Whether the passage begins and ends at word boundaries: 'art' is not quoted from 'party'."""
        text = self._running.text
        cut_before = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
        cut_after = end < len(text) and text[end].isalnum() and text[end - 1].isalnum()
        return not cut_before and not cut_after


def locate(document: ExtractedDocument, quote: str, page_hint: int | None = None) -> Citation:
    """Where one `quote` stands; for several quotes of a document build a `QuoteIndex` once."""
    return QuoteIndex(document).locate(quote, page_hint)

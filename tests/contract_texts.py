"""Documents made of text, for tests that need no PDF."""

import hashlib

from dealguard_analyzer.document import ExtractedDocument, Page, Word
from dealguard_api.report import DocumentInfo, Language, UnreadablePage

ENGLISH = """SERVICES AGREEMENT
This Services Agreement is entered into as of March 1, 2024 (the "Effective Date") by and between Alpha Example LLC,
a Delaware limited liability company ("Provider"), and Beta Example Inc. ("Customer").
1. Term
1.1 The initial term of this Agreement is three (3) years from the Effective Date.
1.2 Thereafter this Agreement shall automatically renew for successive one (1) year periods, unless either party gives
written notice of non-renewal at least ninety (90) days prior to the end of the then-current term.
2. Fees
2.1 Customer shall pay Provider a fee of $12,500.00 per month.
3. Liability
3.1 Customer shall indemnify and hold harmless Provider from any and all claims of any kind.
4. Miscellaneous
4.1 Neither party may assign this Agreement without the prior written consent of the other party.
4.2 This Agreement shall be governed by the laws of the State of New York, without regard to conflict of laws rules.
"""

GERMAN = """Dienstleistungsvertrag
zwischen
Alpha Beispiel GmbH, Musterweg 1, 10115 Berlin – nachfolgend „Auftraggeber“ –
und
Beta Beispiel AG, Beispielallee 2, 80331 München – nachfolgend „Auftragnehmer“ –
§ 1 Laufzeit
(1) Der Vertrag beginnt am 1. April 2024 und hat eine Mindestlaufzeit von 24 Monaten.
(2) Er verlängert sich um jeweils 12 Monate, wenn er nicht mit einer Frist von drei Monaten zum Ende der Laufzeit
gekündigt wird.
§ 2 Vergütung
Die Vergütung beträgt 2.480,50 EUR im Monat.
§ 3 Haftung
Die Haftung des Auftragnehmers ist ausgeschlossen. Dies gilt auch für grob fahrlässige Pflichtverletzungen.
§ 4 Schlussbestimmungen
Es gilt das Recht der Bundesrepublik Deutschland. Gerichtsstand ist Berlin.
"""


def document_of(
    *pages: str, language: Language | None = "en", unreadable: tuple[int, ...] = (), words: bool = False
) -> ExtractedDocument:
    """A document with these page texts, numbered from 1; numbers in `unreadable` are left out of the numbering."""
    numbers = [number for number in range(1, len(pages) + len(unreadable) + 1) if number not in unreadable]
    digest = hashlib.sha256("\f".join(pages).encode()).hexdigest()
    info = DocumentInfo(sha256=digest, bytes=len("".join(pages)), pages=len(pages) + len(unreadable), language=language)
    return ExtractedDocument(
        info,
        tuple(Page(n, text, _words(text) if words else ()) for n, text in zip(numbers, pages, strict=True)),
        tuple(UnreadablePage(page=number, reason="the page is damaged") for number in unreadable),
    )


def _words(text: str) -> tuple[Word, ...]:
    """Boxes as a typewriter sets them: 6 points a character, 12 a line, from the top of an A4 page."""
    found = []
    offset = 0
    for row, line in enumerate(text.split("\n")):
        column = 0
        for word in line.split(" "):
            if word:
                start = offset + column
                top = 800.0 - 12 * row
                found.append(Word(start, start + len(word), 6.0 * column, top - 10, 6.0 * (column + len(word)), top))
            column += len(word) + 1
        offset += len(line) + 1
    return tuple(found)

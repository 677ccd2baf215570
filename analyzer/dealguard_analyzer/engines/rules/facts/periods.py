"""Lengths of time: 'thirty (30) days', 'drei Monate'."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dealguard_analyzer.engines.rules.word_list import words
from dealguard_api.report import Period

_ENGLISH = words(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
)
_GERMAN = words(
    "ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn"
    " achtzehn neunzehn zwanzig"
)
_WORDS = {
    **{word: number for number, word in enumerate(_ENGLISH, 1)},
    **{word: number for number, word in enumerate(_GERMAN, 1)},
    **{"eine": 1, "einem": 1, "einer": 1, "eines": 1, "einen": 1, "a": 1, "an": 1},
    **{"twenty-four": 24, "thirty": 30, "thirty-six": 36, "forty-five": 45, "forty": 40, "fifty": 50, "sixty": 60},
    **{"seventy-five": 75, "ninety": 90, "hundred": 100, "one hundred eighty": 180, "one hundred twenty": 120},
    **{"dreißig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "neunzig": 90, "vierundzwanzig": 24},
}
_UNITS: dict[str, Literal["day", "businessDay", "week", "month", "quarter", "year"]] = {
    "business day": "businessDay",
    "working day": "businessDay",
    "werktag": "businessDay",
    "arbeitstag": "businessDay",
    "day": "day",
    "tag": "day",
    "kalendertag": "day",
    "week": "week",
    "woche": "week",
    "month": "month",
    "monat": "month",
    "quarter": "quarter",
    "quartal": "quarter",
    "year": "year",
    "jahr": "year",
}
_WORD = "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True))
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_PERIOD = re.compile(
    rf"\b(?:(?P<word>{_WORD})\b\s?)?(?:\(?\s?(?P<number>\d{{1,3}})\s?\)?)?[\s-]{{0,2}}"
    rf"(?:full |calendar |consecutive |volle[nr]? |weitere[nrs]? |ganze[nr]? )?(?P<unit>{_UNIT})(?:s|e|en|es|n)?\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    # '… notice to the end of a calendar quarter', '… zum Ende eines Kalendervierteljahres'
    r"\b(?:to|as of|effective at) the end of (?:a|any|each|the|every) (?:then[- ]current )?(?:calendar )?"
    r"(?:month|quarter|half[- ]year|year|term)\b|"
    r"\b(?:prior to|before|from|after|following) (?:the )?(?:\w+ ){0,4}?(?:end|expiration|expiry|effective date|"
    r"commencement|anniversary|date)(?: of (?:the |such |any |this )?(?:[\w-]+ ){0,3}?(?:term|period|year|quarter"
    r"|month|agreement)\b)?"
    r"|\b(?:zum|vor|vor dem|ab|ab dem|seit) (?:jeweiligen )?(?:ende|ablauf|monatsende|quartalsende|jahresende|"
    r"kalenderjahresende|vertragsende|schluss|vertragsbeginn|inkrafttreten)"
    r"(?: (?:der|des|eines|einer) (?:jeweiligen )?\w+)?",
    re.IGNORECASE,
)


# 'The end of a calendar quarter' is a point in time.
_END_OF = re.compile(r"\b(?:end of|ende|schluss)\s$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PeriodHit:
    """A period at `text[start:end]`."""

    period: Period
    start: int
    end: int


def find_periods(text: str) -> Iterator[PeriodHit]:
    """The periods in `text`, in order. 'Year' without a number is none."""
    for match in _PERIOD.finditer(text):
        number, word = match["number"], match["word"]
        value = int(number) if number else _WORDS.get((word or "").lower(), 0)
        if value <= 0 or (not number and _END_OF.search(text, max(0, match.start() - 12), match.start())):
            continue
        reference = _REFERENCE.search(text, match.end(), match.end() + 120)
        yield PeriodHit(
            Period(
                value=Decimal(value),
                unit=_UNITS[match["unit"].lower()],
                reference_point=reference.group().strip() if reference else None,
            ),
            match.start(),
            match.end(),
        )


def months(period: Period) -> Decimal:
    """The period's approximate length in months, for comparisons only."""
    per_unit = {
        "day": Decimal(1) / 30,
        "businessDay": Decimal(1) / 21,
        "week": Decimal(7) / 30,
        "month": Decimal(1),
        "quarter": Decimal(3),
        "year": Decimal(12),
    }
    return period.value * per_unit[period.unit]

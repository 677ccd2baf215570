"""Dates, in the ways English and German contracts write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dealguard_analyzer.engines.rules.word_list import words

_ENGLISH_MONTHS = words("january february march april may june july august september october november december")
_GERMAN_MONTHS = words("januar februar märz april mai juni juli august september oktober november dezember")
_MONTHS = {
    **{name: number for number, name in enumerate(_ENGLISH_MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(_ENGLISH_MONTHS, 1)},
    **{name: number for number, name in enumerate(_GERMAN_MONTHS, 1)},
    "sept": 9,
    "jänner": 1,
    "maerz": 3,
    "mär": 3,
    "mrz": 3,
    "okt": 10,
    "dez": 12,
}
_MONTH = "(?P<{}>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_YEAR = r"(?P<{}>(?:1[89]|20)\d\d)"
_DAYS_IN_WORDS = {
    name: number
    for number, name in enumerate(
        words(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth"
            " fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third"
            " twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
        ),
        1,
    )
}
_DAY_IN_WORDS = "|".join(sorted(_DAYS_IN_WORDS, key=len, reverse=True))
# Before the year: blanks, or the underlining of the line above.
_GAP = r"(?:\s{0,3}|\s{1,80}[-=]{3,40}\s{1,80})"

# One alternative a way of writing; the groups' names end in the alternative's letter.
_DATE = re.compile(
    "|".join(
        (
            # June 21, 1999; June 21st 1999; April __, 2005; June 1999
            rf"\b{_MONTH.format('month_a')}(?:\s*(?P<day_a>\d{{1,2}})\s?(?:st|nd|rd|t\s?h)?\b"
            rf"|\s*[_\[\]●•*]{{1,12}})?\s?,?"
            rf"{_GAP}{_YEAR.format('year_a')}\b",
            # 21 June 1999; 1st day of April, 2007; first (1st) day of April, 2007; 12. März 2024; ____ day of May 2010
            rf"(?:(?:(?<!\d)(?P<day_b>\d{{1,2}})|\b(?P<words_b>{_DAY_IN_WORDS})(?:\s\(\d{{1,2}})?)"
            r"\s?(?:st|nd|rd|t\s?h|\.)?\)?|[_\]●•*])\s{0,8}(?:day\s{1,3})?(?:of\s{1,3})?(?:the month of\s{1,3})?"
            r"(?:[a-z]{3,6}day,?\s{1,3})?"
            rf"{_MONTH.format('month_b')}(?:\s(?:day\s)?of)?\s?,?{_GAP}{_YEAR.format('year_b')}\b",
            # 2004-09-29
            r"\b(?P<year_c>(?:19|20)\d\d)-(?P<month_c>\d\d)-(?P<day_c>\d\d)\b",
            # 12.03.2024, German; 9/29/2004 and 9/29/04, American
            r"\b(?P<day_d>\d{1,2})\.\s?(?P<month_d>\d{1,2})\.\s?(?P<year_d>(?:19|20)?\d\d)\b",
            r"\b(?P<month_e>\d{1,2})[/-](?P<day_e>\d{1,2})[/-](?P<year_e>(?:19|20)?\d\d)\b",
        )
    ),
    re.IGNORECASE,
)


# '2.2.10' is a section's number as often as a date; a German word for time tells.
_GERMAN_LEAD = re.compile(r"\b(?:am|vom|den|dem|zum|bis|ab|seit|datum:?|stand:?)\s{1,3}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DateHit:
    """A date at `flat[start:end]`; `iso` is YYYY, YYYY-MM or YYYY-MM-DD, as much as the text says."""

    iso: str
    start: int
    end: int


def find_dates(flat: str, start: int = 0, end: int | None = None) -> Iterator[DateHit]:
    """The dates in `flat[start:end]`, in order."""
    for match in _DATE.finditer(flat, start, len(flat) if end is None else end):
        if (
            match["year_d"]
            and len(match["year_d"]) == 2
            and not _GERMAN_LEAD.search(flat[max(0, match.start() - 12) : match.start()])
        ):
            continue
        if (iso := _iso(match)) is not None:
            first = match.start() + (1 if match.group()[0] in "]_●•*" else 0)
            yield DateHit(iso, first, match.end())


def _iso(match: re.Match[str]) -> str | None:
    groups = {name[:-2]: value for name, value in match.groupdict().items() if value is not None}
    year = int(groups["year"])
    if year < 100:
        year += 2000 if year < 70 else 1900
    month_text = groups["month"].lower()
    month = int(month_text) if month_text.isdigit() else _MONTHS[month_text]
    day_text = groups.get("day")
    day = int(day_text) if day_text else _DAYS_IN_WORDS.get(groups.get("words", "").lower())
    if day is not None and month > 12 >= day and month_text.isdigit():
        day, month = month, day  # 18/9/2008: the day first, as outside America
    if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
        return None
    return f"{year:04d}-{month:02d}" + (f"-{day:02d}" if day is not None else "")

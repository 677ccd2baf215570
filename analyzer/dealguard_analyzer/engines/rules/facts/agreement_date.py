"""The date that the contract bears: every date of the text is weighed, and the likeliest reported.

What speaks for and against a date is `EVIDENCE`; how much each counts was learnt from CUAD's split `train`
(`training.train`): the weights under which the dates that lawyers marked come out first.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log

from dealguard_analyzer.engines.rules.facts.dates import DateHit, find_dates
from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_api.report import Fact

WEIGHTS_FILE = "agreement_date.json"  # beside this file
# Below this no date is reported. Of the right dates nearly all lie above (cross-validated on `train`), while some four
# in ten of the contracts for which lawyers named no date get none.
_LEAST_WEIGHT = -1.5

# A contract's own date stands at its head or beside the signatures; tables in between may hold thousands.
_MOST_AT_THE_HEAD = 300
_MOST_AT_THE_END = 100
_BEFORE = 500  # characters read before a date
_WORDS_BEFORE = 330  # of these, white space collapsed, those that patterns see
_AFTER = 120
_TOP = 3000  # characters: the first page
_ONE_SIGNING = 1000  # characters between the dates beside the signatures of one document
_SIDE_BY_SIDE = 40  # characters between dates in two columns of signatures
_ODDS = (-6.0, 4.0)  # of the model's log odds, what is beyond tells no more

_DOCUMENT = (
    r"(?:agreement|contract|lease|licen[sc]e|amendment|addendum|plan|note|letter|order|deed|memorandum"
    r"|vertrag\w*|vereinbarung)"
)
_EARLIER = r"(?:certain|original|prior|previous|existing|earlier)"
# Each ends right before the date.
_BEFORE_THE_DATE = {
    "agreed": (
        r"\b(?:dated(?:,? (?:and effective|effective))?(?: as of| this| for reference)?"
        r"|(?:made|entered|executed|signed|concluded|agreed)"
        r"(?: and| into|,|/or| effective| delivered| entered| executed| made)*(?: between[^.;]{0,40})?"
        r"(?: as of| on| this| at [^.;]{0,30})?(?: the| this)?(?: date)?"
        r"|as of(?: the| this)?|vom|geschlossen am|vertragsdatum)\W{0,6}$"
    ),
    "this day": r"\bthis(?: the)?\W{0,3}$",
    "of this contract": (
        r"\b(?:this|dieser|diese)\b[^.;]{0,180}\b(?:made|entered|dated?|executed|effective|as of)\b[^.;]{0,120}$"
    ),
    "of another document": (
        rf"\b(?:to|of|under|in|by|with|and|from|per|{_EARLIER})"
        rf" (?:(?:the|that|an?|its|our|your|such|their|{_EARLIER}) ){{0,3}}(?!this)"
        rf"[^.;]{{0,90}}\b{_DOCUMENT}\b[^.;]{{0,60}}$"
    ),
    "of the past": (
        r"\b(?:that certain|those certain|original(?:ly)?|prior|previous(?:ly)?|existing|earlier|amended|pursuant to"
        r"|under the|terminat\w+|statement|press release|registration|filed|prospectus|act of|patent|application"
        r"|invoice|supersedes?|whereas|revised?)\b[^.;]{0,100}$"
    ),
    "a limit": (
        r"\b(?:until|through|thru|expir\w*|end(?:s|ed|ing)?|commenc\w*|begin\w*|start\w*|on or (?:before|after|about)"
        r"|prior to|before|after|since|later than|by|from|to|of record|bis|ab|zum)\b\W{0,3}(?:\w+ ){0,2}\W{0,3}$"
    ),
    "a page's edge": (
        r"\bpage(?: \d+)?\W{0,6}$|\bv(?:ersion|er|\.)? ?[\d.]*\W{0,6}$|\bsource:[^;]{0,120}$|\bfiled\b[^;]{0,60}$"
    ),
    "witness": r"\b(?:witness whereof|executed (?:this|as of|on)|duly executed|signed (?:by|this|as of)|hereunto)\b.*$",
}
_PATTERNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _BEFORE_THE_DATE.items()}
_NAMED_AFTER = re.compile(
    r"\W{0,8}(?:the )?\W{0,4}(?:agreement|contract|signing|signature|execution) date", re.IGNORECASE
)
_SIGNATURE = re.compile(
    r"\b(?:date|datum|date signed)\W{0,4}$|(?:/s/|\\s\\|\bby:|\bname:|\bprinted name\b|\btitle:|\bunterschrift\b)"
    r".{0,200}$|[A-ZÄÖÜ][a-zäöüß]+, (?:den|am) $",
    re.IGNORECASE,
)
_BLANK = re.compile(r"[_\[\]●•*]")

EVIDENCE = (
    *_PATTERNS,
    "named agreement date",
    "model",  # log odds that its sentence states the agreement date
    "model says so",
    "position",
    "dates before",
    "line of its own at the top",
    "full date",
    "blank day",
    "signature",
)


@dataclass(frozen=True)
class Candidate:
    """A date of the text, and what speaks for it, in the order of `EVIDENCE`."""

    hit: DateHit
    evidence: tuple[float, ...]


def find_agreement_date(text: ContractText, odds: Sequence[float] = ()) -> Fact[str] | None:
    """The likeliest date; None if no date of the text has enough that speaks for it.

    Args:
        text: the contract.
        odds: of each sentence, that it states the agreement date: the model's log odds. None without a model.
    """
    weights = _weights()
    rated = [(weigh(candidate, weights), candidate.hit) for candidate in candidates(text, odds)]
    best, hit = max(rated, key=lambda pair: pair[0], default=(_LEAST_WEIGHT, None))
    if hit is None or best < _LEAST_WEIGHT:
        return None
    return Fact(value=hit.iso, citation=text.running.cite(hit.start, hit.end))


def weigh(candidate: Candidate, weights: Sequence[float]) -> float:
    """How much speaks for the date."""
    return sum(weight * value for weight, value in zip(weights, candidate.evidence, strict=True))


def candidates(text: ContractText, odds: Sequence[float] = ()) -> list[Candidate]:
    """The dates that may be the agreement's; of those beside its signatures, the latest: then all had agreed."""
    hits = list(find_dates(text.flat))
    if len(hits) > _MOST_AT_THE_HEAD + _MOST_AT_THE_END:
        hits = hits[:_MOST_AT_THE_HEAD] + hits[-_MOST_AT_THE_END:]
    read = list(_read(text, hits))
    signed = [date.hit for date in read if date.signature]
    kept = [date for date in read if not (date.signature and _is_outdone(date.hit, signed))]
    ends = [sentence.end for sentence in text.sentences] if odds else []
    found, seen = [], list[str]()
    for date in kept:
        if date.hit.iso not in seen:
            seen.append(date.hit.iso)
        of_sentence = _odds(text, date.hit, ends, odds)
        evidence = (*date.said, *of_sentence, log(1 + date.hit.start / 500), log(1 + seen.index(date.hit.iso)))
        found.append(Candidate(date.hit, (*evidence, *_form(text, date.hit), float(date.signature))))
    return found


@dataclass(frozen=True)
class _Read:
    """A date, what the words around it say, and whether it stands beside a signature."""

    hit: DateHit
    said: tuple[float, ...]
    signature: bool


def _read(text: ContractText, hits: Sequence[DateHit]) -> Iterator[_Read]:
    previous: _Read | None = None
    for hit in hits:
        before = (" ".join(text.flat[max(0, hit.start - _BEFORE) : hit.start].split()) + " ")[-_WORDS_BEFORE:]
        after = " ".join(text.flat[hit.end : hit.end + _AFTER].split())
        said = {name: pattern.search(before) is not None for name, pattern in _PATTERNS.items()}
        beside = previous is not None and previous.signature and hit.start - previous.hit.end < _SIDE_BY_SIDE
        previous = _Read(
            hit,
            (*map(float, said.values()), float(_NAMED_AFTER.match(after) is not None)),
            signature=_is_full(hit)
            and not said["agreed"]
            and not said["a page's edge"]
            and (beside or _SIGNATURE.search(before) is not None),
        )
        yield previous


def _is_outdone(hit: DateHit, signed: Sequence[DateHit]) -> bool:
    return any(other.iso > hit.iso and abs(other.start - hit.start) < _ONE_SIGNING for other in signed)


def _odds(text: ContractText, hit: DateHit, ends: Sequence[int], odds: Sequence[float]) -> tuple[float, float]:
    """('model', 'model says so') of the sentences that hold the date; the lowest odds where there is no model."""
    lowest, highest = _ODDS
    best, index = lowest, bisect_right(ends, hit.start)
    while index < len(ends) and text.sentences[index].start < hit.end:
        best = max(best, odds[index])
        index += 1
    return min(highest, best), float(best > 0)


def _form(text: ContractText, hit: DateHit) -> tuple[float, float, float]:
    """('line of its own at the top', 'full date', 'blank day')."""
    raw = text.running.text
    line_start, line_end = raw.rfind("\n", 0, hit.start) + 1, raw.find("\n", hit.end)
    line = raw[line_start : line_end if line_end >= 0 else None].strip()
    alone = hit.start < _TOP and len(line) <= hit.end - hit.start + 12
    blank = not _is_full(hit) and _BLANK.search(raw, max(0, hit.start - 2), hit.end) is not None
    return float(alone), float(_is_full(hit)), float(blank)


def _is_full(hit: DateHit) -> bool:
    return len(hit.iso) == len("YYYY-MM-DD")


@cache
def _weights() -> tuple[float, ...]:
    stored = json.loads(files(__package__).joinpath(WEIGHTS_FILE).read_text(encoding="utf-8"))
    return tuple(float(stored[name]) for name in EVIDENCE)

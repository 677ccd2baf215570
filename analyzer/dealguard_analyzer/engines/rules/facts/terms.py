"""How long the contract lasts: initial term, renewal, notice."""

import re
from collections.abc import Iterable

from dealguard_analyzer.engines.rules.facts.periods import find_periods
from dealguard_analyzer.engines.rules.negation import is_affirmed
from dealguard_analyzer.engines.rules.text import ContractText, Sentence
from dealguard_api.report import Fact, Period, Renewal

_TERM = re.compile(
    r"\b(?:initial term|has (?:a|an initial) term of|term of (?:this|the) (?:agreement|contract)|(?:this|the)"
    r" (?:agreement|contract)"
    r" (?:shall|will) (?:\w+ ){0,6}"
    r"(?:continue|remain|be)|shall (?:commence|begin|continue|remain in)|for a (?:term|period) of|(?:mindest"
    r"|erst|grund)?laufzeit"
    r"|vertragsdauer|für die dauer von|fest (?:abgeschlossen|vereinbart)|läuft (?:zunächst|fest)|wird für)\b"
)
# Where the contract itself calls it the term; other periods come second.
_NAMED_TERM = re.compile(
    r"\binitial term\b|\bhas a term of\b|\bterm of (?:this|the) (?:agreement|contract)\b"
    r"|\b(?:mindestlaufzeit|erstlaufzeit|feste\w* laufzeit|vertragslaufzeit)\b"
)
_TERM_BEFORE_PERIOD = re.compile(r"\b(?:term|period|continue|für|laufzeit|dauer|beträgt|of|mindestlaufzeit|after)\b")
_NOTICE = re.compile(r"\b(?:notice|notify|notifies|kündig\w*|kündigungsfrist|frist von|gekündigt)\b")
_NOTICE_STATED = re.compile(
    r"\bkündigungsfrist (?:\w+ ){0,8}beträgt|\bbeträgt die kündigungsfrist|\bnotice period (?:\w+ ){0,6}(?:is|shall"
    r" be)\b"
)
_PROBATION = re.compile(r"\b(?:während|innerhalb|in) der probezeit|\bprobation")
_END = re.compile(r"\b(?:terminat|renew|extend|cancel|expir|kündig|gekündigt|verlänger)")
_NOTICE_BEFORE = re.compile(
    r"\b(?:frist von|frist beträgt|notice of|kündigungsfrist|spätestens|mindestens|wenigstens)\b[^.]{0,12}$"
)
_NOTICE_AFTER = re.compile(
    r"^['’]?s?(?:(?!\b(?:unless|terms?|periods?|if|wenn|sofern|falls)\b)[^.]){0,25}"
    r"\b(?:notice|prior|before|in advance|preceding|vor|zuvor"
    r"|zum (?:ende|monatsende|quartalsende|jahresende))\b"
)
_AUTOMATIC = re.compile(
    r"\bautomatic|\bautomatisch|\bshall (?:be )?(?:renew|extend)|\bwill (?:be )?(?:renew|extend)|\bverlängert"
    r" (?:sich|er|es)(?! nur)|\bstillschweigend|\byear to year|\bmonth to month|\bmonth-to-month"
)
_UNLESS_NOTICE = re.compile(r"\bunless\b.{0,120}\b(?:notice|notif|terminat|cancel|elect)")
# Periods that are not the contract's: what outlives it, what is kept, and what comes after the first term.
_OUTLIVES = re.compile(
    r"\bcompet|\bsolicit|\bthereafter\b|\bafter its termination|\bfollowing (?:its|the) termination|\bwettbewerb"
    r"|\bnach beendigung|\bduring the term of (?:this|the) (?:agreement|contract) and for|\bsell[- ]?off|\bremaining"
    r" (?:stock|inventory)|\b(?:upon|after|following) the (?:expiration|termination)|\b(?:surviv|records\b|retain"
    r"|warranty|payment|gewährleistung|aufbewahr)"
)
_AFTER_FIRST_TERM = re.compile(r"\b(?:renew|notice\b)")


def find_initial_term(text: ContractText) -> Fact[Period] | None:
    """The first period that a sentence on the contract's duration states."""
    sentences = list(text.sentences_with(_TERM))
    named = [sentence for sentence in sentences if _NAMED_TERM.search(sentence.lower)]
    for sentence in named + sentences:
        if _OUTLIVES.search(sentence.lower):
            continue
        for hit in find_periods(sentence.text):
            before = sentence.lower[max(0, hit.start - 45) : hit.start]
            after = sentence.lower[hit.end : hit.end + 30]
            if _AFTER_FIRST_TERM.search(sentence.lower, 0, hit.start):
                break
            if _TERM_BEFORE_PERIOD.search(before) and "notice" not in after and "frist" not in before:
                return Fact(value=hit.period, citation=text.cite(sentence))
    return None


def find_renewal(text: ContractText, sentences: Iterable[Sentence]) -> Fact[Renewal] | None:
    """What the first clause by which the contract renews itself says; else the first clause on renewal."""
    for sentence in sorted(sentences, key=lambda sentence: not renews_itself(sentence)):
        start = re.search(r"renew|extend|continue|verlänger", sentence.lower)
        periods = [hit.period for hit in find_periods(sentence.text) if start is None or hit.start >= start.start()]
        automatic = renews_itself(sentence)
        period = periods[0].model_copy(update={"reference_point": None}) if periods else None
        return Fact(value=Renewal(automatic=automatic, period=period), citation=text.cite(sentence))
    return None


def renews_itself(sentence: Sentence) -> bool:
    """Whether a clause on renewal takes effect without anybody's doing."""
    if is_affirmed(_AUTOMATIC, sentence.lower):
        return True
    return _AUTOMATIC.search(sentence.lower) is None and _UNLESS_NOTICE.search(sentence.lower) is not None


def find_notice_period(text: ContractText, sentences: Iterable[Sentence]) -> Fact[Period] | None:
    """How long before the end, or before a termination takes effect, notice must be given; probation comes last."""
    candidates = [s for s in (*sentences, *text.sentences_with(_NOTICE_STATED)) if _END.search(s.lower)]
    for sentence in sorted(candidates, key=lambda s: _PROBATION.search(s.lower) is not None):
        if not _NOTICE.search(sentence.lower):
            continue
        for hit in find_periods(sentence.text):
            before = sentence.lower[max(0, hit.start - 30) : hit.start]
            after = sentence.lower[hit.end : hit.end + 40]
            if _NOTICE_BEFORE.search(before) or _NOTICE_AFTER.search(after) or _NOTICE_STATED.search(sentence.lower):
                return Fact(value=hit.period, citation=text.cite(sentence))
    return None

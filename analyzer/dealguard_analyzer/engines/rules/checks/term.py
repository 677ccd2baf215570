"""How long the parties are bound, and who may end it."""

import re
from decimal import Decimal

from dealguard_analyzer.engines.rules.checks import (
    Case,
    Check,
    Outcome,
    Words,
    as_standard_term,
    having,
    matching,
    outcome,
)
from dealguard_analyzer.engines.rules.checks.kinds import is_employment, is_residential_lease
from dealguard_analyzer.engines.rules.facts.periods import find_periods, months
from dealguard_analyzer.engines.rules.facts.terms import renews_itself
from dealguard_analyzer.engines.rules.text import Sentence

_MUTUAL = re.compile(
    r"\b(?:either|each|both|any) part(?:y|ies)|\bparties\b|\bbeide\w*|\bjede\w* (?:partei|vertragspartei)"
    r"|\bparteien\b|\bvon beiden\b|\bparty hereto\b|\bmutual"
)
_NOT_RENEWAL = re.compile(
    r"\bincreases? from year to year|\bcommon stock\b|\blong stop|\bthe lc\b|\bletters? of credit|\bpolic(?:y|ies)"
    r" of insurance"
)
_RENEWAL = re.compile(
    r"\brenew|\bextend|\bextension|\bverläng|\bfortges|\bcontinu|\bmonth[- ]to[- ]month|\byear[- ]to[- ]year"
)
_TERMINATION_EXCLUDED = re.compile(
    r"\b(?:ordentliche )?kündigung\b.{0,60}\bausgeschlossen|\bmay not (?:be )?terminate[d]? (?:this agreement"
    r" )?(?:for convenience|prior to)"
)
_GOOD_CAUSE_EXCLUDED = re.compile(
    r"\b(?:außerordentliche kündigung|kündigung aus wichtigem grund)\b.{0,60}\bausgeschlossen"
)
_ENDS_CONTRACT = re.compile(
    r"\b(?:terminat\w*|cancel\w*)\b.{0,120}\b(?:agreement|contract|statement of work|engagement|lease|term"
    r"|services)\b"
    r"|\b(?:agreement|contract)\b.{0,100}\b(?:terminated|terminable|cancelled)|\bkündig|\bgekündigt"
)
_WITH_REASON = re.compile(
    r"\bforce majeure|"
    r"\bwichtige\w* grund|\bfristlos|\bupgrade\b|\brenewal term\b.{0,40}\bnot\b|\bverlängert\b"
)
_RENEWED = re.compile(r"\bverläng|\bstillschweigend")
_NOTICE_TO_END = re.compile(r"\bkündig\w*|\bgekündigt")
# § 309 Nr. 9 is about recurring goods and services, not about leases, loans, insurance or companies.
_NOT_RECURRING = re.compile(
    r"\b(?:gewerbe|geschäftsraum|wohnraum|haus)?mietvertrag|\bdarlehensvertrag|\bgesellschaftsvertrag"
)
_LONGEST_TERM_MONTHS = 24
_LONG_MONTHS = 60
_OLD_RENEWAL_MONTHS = 12
_OLD_NOTICE_MONTHS = 3
_GERMAN_TERM = re.compile(r"\b(?:mindestlaufzeit|laufzeit|vertragsdauer|fest für|für die dauer von)\b")


def _automatic_renewal(case: Case) -> Outcome | None:
    renewal = case.facts.renewal
    if renewal is None or not renewal.value.automatic:
        return None
    sentences = [s for s in case.clauses.of("Renewal Term") if renews_itself(s)]
    stated = case.facts.notice_period
    notice = months(stated.value) if stated is not None else 0
    return outcome(
        having(sentences, _RENEWAL, _NOT_RENEWAL), likelihood=4 if notice > 3 else 3, impact=3, focus=_RENEWAL
    )


def _term_309(case: Case) -> Outcome | None:
    """First term, renewal and notice of a recurring contract, by the law of the day on which it was agreed."""
    if is_employment(case) or is_residential_lease(case) or _NOT_RECURRING.search(case.text.lower):
        return None
    old = _is_before_reform(case)
    found = [s for s in matching(case, _GERMAN_TERM, _RENEWED) if _longest(s) > _LONGEST_TERM_MONTHS]
    for sentence in having(case.clauses.of("Renewal Term"), _RENEWED):
        if renews_itself(sentence) and _renews_too_long(sentence, old):
            found.append(sentence)
    for sentence in matching(case, _NOTICE_TO_END):
        notice = [months(hit.period) for hit in find_periods(sentence.text) if _is_notice(sentence, hit.start, hit.end)]
        if any(length > (_OLD_NOTICE_MONTHS if old else 1) for length in notice):
            found.append(sentence)
    return as_standard_term(case, sorted(set(found), key=lambda s: s.index), businesses=False)


def _is_before_reform(case: Case) -> bool:
    """Whether the contract was agreed before 1 March 2022, when the stricter § 309 Nr. 9 came into force."""
    date = case.facts.agreement_date or case.facts.effective_date
    return date is not None and date.value < "2022-03"


def _longest(sentence: Sentence) -> Decimal:
    return max((months(hit.period) for hit in find_periods(sentence.text)), default=Decimal(0))


def _renews_too_long(sentence: Sentence, old: bool) -> bool:
    """Today only for an indefinite time; before the reform for a year at most."""
    if old:
        return any(
            months(hit.period) > _OLD_RENEWAL_MONTHS and not _is_notice(sentence, hit.start, hit.end)
            for hit in find_periods(sentence.text)
        )
    return "unbestimmte zeit" not in sentence.lower and _longest(sentence) > 0


def _is_notice(sentence: Sentence, start: int, end: int) -> bool:
    """Whether the period at `[start:end]` is one of notice."""
    before, after = sentence.lower[max(0, start - 40) : start], sentence.lower[end : end + 30]
    return "frist" in before or re.match(r"\s*(?:vor|zum)\b", after) is not None


def _one_sided_convenience(case: Case) -> Outcome | None:
    if is_employment(case) or (case.german_law and is_residential_lease(case)):
        return None  # the law sets the periods of both sides
    clauses = having(case.clauses.of("Termination For Convenience"), _ENDS_CONTRACT, _WITH_REASON)
    one_sided = [s for s in clauses if not _MUTUAL.search(s.lower) and len(s.text) > 40]
    return outcome(one_sided, focus=_ENDS_CONTRACT) if one_sided and len(one_sided) == len(clauses) else None


def _good_cause(case: Case) -> Outcome | None:
    return outcome(matching(case, _GOOD_CAUSE_EXCLUDED)) if case.german_law else None


def _locked_in(case: Case) -> Outcome | None:
    return outcome(matching(case, _TERMINATION_EXCLUDED, _GOOD_CAUSE_EXCLUDED), focus=_TERMINATION_EXCLUDED)


def _long_term(case: Case) -> Outcome | None:
    term = case.facts.initial_term
    if term is None or months(term.value) < _LONG_MONTHS or case.clauses.of("Termination For Convenience"):
        return None
    quoted = [s for s in case.text.sentences if case.text.cite(s).quote == term.citation.quote]
    return outcome(quoted)


CHECKS = (
    Check(
        id="term-automatic-renewal",
        category="Renewal Term",
        title=Words("Automatic renewal", "Automatische Verlängerung"),
        explanation=Words(
            "The contract renews itself unless notice is given in time. A missed date binds the parties for"
            " another period.",
            "Der Vertrag verlängert sich von selbst, wenn nicht rechtzeitig gekündigt wird. Ein versäumter"
            " Termin bindet für einen weiteren Zeitraum.",
        ),
        recommendation=Words(
            "Enter the last date for notice in the diary; ask for a shorter notice period or renewal only by"
            " agreement.",
            "Den letzten Kündigungstermin vormerken; kürzere Frist oder Verlängerung nur durch Vereinbarung verlangen.",
        ),
        deviation=Words(
            "A balanced contract ends or goes on with short notice.",
            "Ausgewogen ist ein Ende oder eine Fortsetzung mit kurzer Kündigungsfrist.",
        ),
        likelihood=3,
        impact=3,
        find=_automatic_renewal,
    ),
    Check(
        id="term-309-nr-9",
        category="Renewal Term",
        title=Words(
            "Term or renewal longer than allowed towards consumers",
            "Laufzeit oder Verlängerung länger als gegenüber Verbrauchern zulässig",
        ),
        explanation=Words(
            "In standard terms towards consumers a recurring contract may bind for two years at most and renew"
            " itself only for an indefinite time with one month's notice. For contracts before 1 March 2022 a renewal"
            " of one year and three months' notice are allowed.",
            "In AGB gegenüber Verbrauchern darf ein Dauerschuldverhältnis höchstens zwei Jahre binden und sich"
            " nur auf unbestimmte Zeit mit Monatsfrist verlängern. Bei Verträgen vor dem 1. März 2022 sind ein Jahr"
            " Verlängerung und drei Monate Kündigungsfrist erlaubt.",
        ),
        recommendation=Words(
            "Towards consumers: renew for an indefinite time, to be terminated at any time with at most one"
            " month's notice.",
            "Gegenüber Verbrauchern: Verlängerung auf unbestimmte Zeit, jederzeit mit höchstens einem Monat"
            " Frist kündbar.",
        ),
        deviation=Words(
            "§ 309 no. 9 BGB forbids it towards consumers.", "§ 309 Nr. 9 BGB verbietet dies gegenüber Verbrauchern."
        ),
        likelihood=3,
        impact=3,
        find=_term_309,
        assessment="check",
        statutes=("§ 309 Nr. 9 BGB", "§ 310 Abs. 1 BGB", "Art. 229 § 60 EGBGB"),
        standard_term=True,
    ),
    Check(
        id="term-one-sided-convenience",
        category="Termination For Convenience",
        title=Words("Termination without cause for one side only", "Kündigung ohne Grund nur für eine Seite"),
        explanation=Words(
            "Only one party may end the contract without cause. The other has no security for its investment.",
            "Nur eine Partei kann ohne Grund kündigen. Die andere hat keine Sicherheit für ihre Aufwendungen.",
        ),
        recommendation=Words(
            "Make the right mutual, lengthen the notice, or agree payment for work begun.",
            "Das Recht gegenseitig gestalten, die Frist verlängern oder eine Vergütung begonnener Leistungen"
            " vereinbaren.",
        ),
        deviation=Words("Balanced rights of termination are mutual.", "Ausgewogene Kündigungsrechte sind gegenseitig."),
        likelihood=3,
        impact=3,
        find=_one_sided_convenience,
        assessment="check",
        hurts="other",
    ),
    Check(
        id="term-good-cause-excluded",
        category="Termination For Convenience",
        title=Words("Termination for good cause excluded", "Kündigung aus wichtigem Grund ausgeschlossen"),
        explanation=Words(
            "The right to terminate for good cause is mandatory; the exclusion is void.",
            "Das Recht zur Kündigung aus wichtigem Grund ist zwingend; der Ausschluss ist unwirksam.",
        ),
        recommendation=Words("Delete the exclusion.", "Den Ausschluss streichen."),
        deviation=Words("Mandatory German law.", "Zwingendes Recht."),
        likelihood=3,
        impact=4,
        find=_good_cause,
        statutes=("§ 314 BGB", "§ 626 BGB", "§ 543 BGB"),
    ),
    Check(
        id="term-termination-excluded",
        category="Termination For Convenience",
        title=Words("Ordinary termination excluded", "Ordentliche Kündigung ausgeschlossen"),
        explanation=Words(
            "The contract cannot be ended by ordinary notice during the time named.",
            "Der Vertrag kann während der genannten Zeit nicht ordentlich gekündigt werden.",
        ),
        recommendation=Words(
            "Check whether the length of the commitment is wanted; ask for an exit.",
            "Prüfen, ob die Bindung gewollt ist; eine Ausstiegsmöglichkeit verlangen.",
        ),
        deviation=Words("Balanced contracts give both an exit.", "Ausgewogen ist ein Ausstiegsrecht für beide."),
        likelihood=3,
        impact=3,
        find=_locked_in,
        assessment="check",
    ),
    Check(
        id="term-long",
        category="Expiration Date",
        title=Words("Long commitment without ordinary termination", "Lange Bindung ohne ordentliche Kündigung"),
        explanation=Words(
            "The contract binds for five years or more, and no right to terminate without cause was found.",
            "Der Vertrag bindet für fünf Jahre oder länger, und ein Recht zur ordentlichen Kündigung wurde"
            " nicht gefunden.",
        ),
        recommendation=Words(
            "Ask for a right to terminate after a first period.",
            "Ein Kündigungsrecht nach einer ersten Laufzeit verlangen.",
        ),
        deviation=Words(
            "Long terms are usually balanced by an exit.",
            "Lange Laufzeiten werden üblicherweise durch ein Ausstiegsrecht ausgeglichen.",
        ),
        likelihood=3,
        impact=3,
        find=_long_term,
        assessment="check",
    ),
)

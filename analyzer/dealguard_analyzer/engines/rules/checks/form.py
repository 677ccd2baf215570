"""Form, and changes of the terms."""

import re

from dealguard_analyzer.engines.rules.checks import (
    Case,
    Check,
    Outcome,
    Words,
    as_standard_term,
    matching,
    outcome,
    without_near,
)
from dealguard_analyzer.engines.rules.checks.kinds import is_employment, is_residential_lease

_WRITTEN_NOTICE = re.compile(
    r"\b(?:kündigung\w*|anzeigen?|erklärung\w*|widerruf\w*|mitteilung\w*)\b.{0,80}\b(?:schriftform"
    r"|schriftlich\w*|einschreiben)\b"
)
_DOUBLE_FORM = re.compile(
    r"\b(?:verzicht|aufhebung|abbedingung|änderung)\b.{0,80}\bschriftform(?:erfordernis\w*|klausel)?\b"
)
_INDIVIDUAL = re.compile(r"\bindividual(?:abrede|vereinbarung)")
_TERMS_CHANGE = re.compile(
    r"\b(?:agb|geschäftsbedingungen|nutzungsbedingungen|vertragsbedingungen"
    r"|bedingungen)\b.{0,120}\b(?:jederzeit|einseitig|vorbehalten|behält sich|berechtigt)\b.{0,80}\b(?:änder"
    r"|anzupassen|anpass)"
    r"|\b(?:behält sich|vorbehalten|berechtigt|kann)\b.{0,100}\b(?:agb|geschäftsbedingungen|nutzungsbedingungen"
    r"|bedingungen)\b.{0,60}\b(?:ändern|zu ändern|anzupassen|anpassen)"
    r"|\b(?:may|reserves the right to) (?:\w+ ){0,6}(?:modify|amend|change|update) (?:any |all |or |of |\w+ ){0,5}"
    r"(?:this agreement|these terms|the terms|terms and conditions)\b"
)
_BOTH = re.compile(
    r"\bmutual|\bwritten (?:agreement|consent|amendment|instrument)|\b(?:both|the) parties\b|\bsigned by\b|\bmay not\b"
    r"|\beither party\b|\bno amendment|\bin writing by"
)
# Where the law itself demands writing: dismissals (§ 623 BGB), notice to end the lease of a dwelling (§ 568 BGB).
_STATUTORY_FORM = re.compile(r"\btextform\b|\barbeitsverhältnis|\barbeitsvertrag|\bmietverhältnis|\bunternehmer\b")


def _stricter_form(case: Case) -> Outcome | None:
    if is_employment(case) or is_residential_lease(case):
        return None
    stricter = matching(case, _WRITTEN_NOTICE, _STATUTORY_FORM)
    return as_standard_term(case, stricter, businesses=False, focus=_WRITTEN_NOTICE)


def _double_form(case: Case) -> Outcome | None:
    double = matching(case, _DOUBLE_FORM, _INDIVIDUAL)
    return as_standard_term(case, without_near(case, double, _INDIVIDUAL), focus=_DOUBLE_FORM)


def _terms_change(case: Case) -> Outcome | None:
    return outcome(matching(case, _TERMS_CHANGE, _BOTH), focus=_TERMS_CHANGE)


CHECKS = (
    Check(
        id="form-309-nr-13",
        category="form",
        title=Words("Written form demanded of consumers", "Schriftform für Erklärungen von Verbrauchern"),
        explanation=Words(
            "Standard terms may not demand a stricter form than text form for a consumer's notices.",
            "AGB dürfen für Anzeigen und Erklärungen von Verbrauchern keine strengere Form als die Textform verlangen.",
        ),
        recommendation=Words("Demand text form only.", "Nur Textform verlangen."),
        deviation=Words("§ 309 no. 13 BGB.", "§ 309 Nr. 13 BGB."),
        likelihood=3,
        impact=2,
        find=_stricter_form,
        assessment="check",
        statutes=("§ 309 Nr. 13 BGB", "§ 126b BGB"),
        standard_term=True,
    ),
    Check(
        id="form-double",
        category="form",
        title=Words("Double written-form clause", "Doppelte Schriftformklausel"),
        explanation=Words(
            "The clause demands written form even for waiving it. In standard terms it misleads about the"
            " priority of individual agreements and is void.",
            "Die Klausel verlangt Schriftform auch für deren Aufhebung. In AGB täuscht sie über den Vorrang der"
            " Individualabrede und ist unwirksam.",
        ),
        recommendation=Words(
            "Except individual agreements, or delete the second sentence.",
            "Individualabreden ausnehmen oder den zweiten Satz streichen.",
        ),
        deviation=Words("§ 305b BGB.", "§ 305b BGB."),
        likelihood=2,
        impact=2,
        find=_double_form,
        assessment="check",
        statutes=("§ 305b BGB", "§ 307 BGB"),
        standard_term=True,
    ),
    Check(
        id="terms-unilateral-change",
        category="changes",
        title=Words("One side may change the terms", "Einseitige Änderung der Bedingungen"),
        explanation=Words(
            "One party may change the contract's terms by itself.",
            "Eine Partei kann die Vertragsbedingungen allein ändern.",
        ),
        recommendation=Words(
            "Require consent, or limit changes to named reasons with notice and a right to terminate.",
            "Zustimmung verlangen oder auf benannte Gründe mit Frist und Kündigungsrecht beschränken.",
        ),
        deviation=Words("Changes usually need both parties.", "Änderungen bedürfen üblicherweise beider Parteien."),
        likelihood=3,
        impact=3,
        find=_terms_change,
        statutes=("§ 307 BGB", "§ 308 Nr. 4 BGB", "§ 308 Nr. 5 BGB"),
        hurts="other",
    ),
)

"""Form, changes of the terms, and German rules for particular contracts."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, matching, outcome

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
    r"|\b(?:may|reserves the right to) (?:\w+ ){0,6}(?:modify|amend|change|update)\b.{0,40}\b(?:this agreement"
    r"|these terms|the terms|terms and conditions|terms of)"
)
_DEPOSIT = re.compile(r"\bkaution\w*|\bmietsicherheit\w*")
_MONTHS_RENT = re.compile(
    r"\b(?:vier|fünf|sechs|4|5|6) (?:netto|brutto|kalt)?-?(?:monats)?(?:kalt|netto|grund)?mieten|\b(?:vier|fünf"
    r"|sechs|4|5|6) monats"
)
_RESIDENTIAL = re.compile(r"\bwohnung|\bwohnraum|\bwohnzwecke")
_COMMERCIAL = re.compile(r"\bgewerberaum|\bgeschäftsraum|\bgewerbliche\w* miet|\bgewerbemiet")


def _stricter_form(case: Case) -> Outcome | None:
    if not (case.german_law and case.german) or case.consumer is False:
        return None
    sentences = matching(case, _WRITTEN_NOTICE, re.compile(r"\btextform\b|\barbeitsverhältnis"))
    return Outcome(tuple(sentences[:3]), assessment="risk" if case.consumer else "check") if sentences else None


def _double_form(case: Case) -> Outcome | None:
    if not (case.german_law and case.german):
        return None
    return outcome(matching(case, _DOUBLE_FORM, _INDIVIDUAL))


def _terms_change(case: Case) -> Outcome | None:
    return outcome(
        matching(
            case,
            _TERMS_CHANGE,
            re.compile(r"\bmutual|\bwritten (?:agreement|consent|amendment)|\bboth parties|\bsigned by\b"),
        )
    )


def _deposit(case: Case) -> Outcome | None:
    if not case.german_law or not matching(case, _RESIDENTIAL) or matching(case, _COMMERCIAL):
        return None
    return outcome([s for s in matching(case, _DEPOSIT) if _MONTHS_RENT.search(s.lower)])


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
    Check(
        id="rent-deposit",
        category="deposit",
        title=Words("Deposit over three months' rent", "Kaution über drei Monatsmieten"),
        explanation=Words(
            "For a dwelling the deposit must not exceed three months' rent without service charges.",
            "Bei Wohnraum darf die Kaution drei Monatsmieten ohne Nebenkosten nicht übersteigen.",
        ),
        recommendation=Words("Reduce it to three months' rent.", "Auf drei Monatsmieten herabsetzen."),
        deviation=Words("§ 551 BGB.", "§ 551 BGB."),
        likelihood=4,
        impact=2,
        find=_deposit,
        statutes=("§ 551 BGB",),
    ),
)

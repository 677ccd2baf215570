"""The report in a few sentences, in the contract's language."""

from dealguard_analyzer.engines.rules.checks import Words
from dealguard_analyzer.engines.rules.facts.all import Facts
from dealguard_api.labels import date_label, jurisdiction_label, level_label, unit_label
from dealguard_api.report import Finding, Language, Period
from dealguard_api.resource import MAX_SUMMARY_BYTES
from dealguard_api.text import shorten_utf8

_MAX_NAMED_FINDINGS = 3

_NOT_A_CONTRACT = Words(
    "This document does not look like a contract in German or English: too little contract language was found in it."
    " It was not examined for risks; this is no statement that there are none. Check that the right file was uploaded.",
    "Dieses Dokument sieht nicht wie ein Vertrag in deutscher oder englischer Sprache aus: es enthält zu wenig"
    " Vertragssprache. Es wurde nicht auf Risiken geprüft; das heißt nicht, dass es keine gibt. Bitte prüfen, ob die"
    " richtige Datei hochgeladen wurde.",
)
_NOTHING_FOUND = Words(
    "None of the rules matched; that is no proof that there are no risks.",
    "Keine der Regeln hat angeschlagen; das beweist nicht, dass es keine Risiken gibt.",
)


def not_a_contract(unreadable_pages: int, language: Language) -> str:
    """What to say of a document that was not examined."""
    return " ".join(
        part for part in (_NOT_A_CONTRACT.in_language(language), _unread(unreadable_pages, language)) if part
    )


def summarise(
    facts: Facts,
    findings: list[Finding],
    unreadable_pages: int,
    language: Language,
    unknown_perspective: str | None = None,
) -> str:
    """Type, parties, term, law, and the gravest findings; at most `MAX_SUMMARY_BYTES`."""
    german = language == "de"
    parts = [
        _what(facts, language),
        _duration(facts, language),
        _law(facts, german),
        _not_found(unknown_perspective, german),
        _risks(findings, language),
        _unread(unreadable_pages, language),
    ]
    return shorten_utf8(" ".join(part for part in parts if part), MAX_SUMMARY_BYTES)


def _unread(pages: int, language: Language) -> str:
    if not pages:
        return ""
    if language == "de":
        if pages == 1:
            return "1 Seite war nicht lesbar und wurde nicht geprüft."
        return f"{pages} Seiten waren nicht lesbar und wurden nicht geprüft."
    if pages == 1:
        return "1 page could not be read and was not examined."
    return f"{pages} pages could not be read and were not examined."


def _not_found(perspective: str | None, german: bool) -> str:
    """That the party named by the user is none of the contract's, so that nothing was judged from its side."""
    if perspective is None:
        return ""
    name = perspective[:80]
    if german:
        return f"„{name}“ wurde unter den Parteien nicht gefunden; die Risiken sind für alle Parteien beurteilt."
    return f"“{name}” was not found among the parties; the risks are judged for every party."


def period_in_words(period: Period, language: Language) -> str:
    """'3 months'."""
    number = format(period.value.normalize(), "f")
    return f"{number} {unit_label(period.unit, period.value != 1, language)}"


def _what(facts: Facts, language: Language) -> str:
    german = language == "de"
    title = facts.contract_type.value[:120] if facts.contract_type else ("Vertrag" if german else "Contract")
    names = [
        party.name[:60] + (f" ({party.role[:40]})" if party.role and party.role != party.name else "")
        for party in facts.parties[:2]
    ]
    between = (" zwischen " if german else " between ") if len(names) == 2 else (" mit " if german else " with ")
    joined = between + (" und " if german else " and ").join(names) if names else ""
    date = (
        (" vom " if german else " of ") + date_label(facts.agreement_date.value, language)
        if facts.agreement_date
        else ""
    )
    return f"{title}{date}{joined}."


def _duration(facts: Facts, language: Language) -> str:
    german = language == "de"
    words = []
    if facts.initial_term:
        words.append(("Laufzeit: " if german else "Term: ") + period_in_words(facts.initial_term.value, language))
    elif facts.expiration_date:
        words.append(("Laufzeit bis " if german else "Term until ") + date_label(facts.expiration_date.value, language))
    if facts.renewal and facts.renewal.value.automatic:
        words.append("verlängert sich automatisch" if german else "renews automatically")
    if facts.notice_period:
        words.append(
            ("Kündigungsfrist: " if german else "notice: ") + period_in_words(facts.notice_period.value, language)
        )
    return ", ".join(words) + "." if words else ""


def _law(facts: Facts, german: bool) -> str:
    if facts.governing_law is None:
        return ""
    names = facts.governing_law.value.split("; ")
    law = "; ".join(jurisdiction_label(name, "de" if german else "en") for name in names)
    return f"Anwendbares Recht: {law}." if german else f"Governing law: {law}."


def _risks(findings: list[Finding], language: Language) -> str:
    if not findings:
        return _NOTHING_FOUND.in_language(language)
    german = language == "de"
    worst = findings[0].severity
    level = level_label(worst.level, language)
    named = "; ".join(_named(finding, german) for finding in findings[:_MAX_NAMED_FINDINGS])
    noun = ("Befund", "Befunde") if german else ("finding", "findings")
    count = f"{len(findings)} {noun[len(findings) != 1]}"
    if german:
        return f"Risiko: {level} ({worst.score} von 25), {count}. Am schwersten: {named}."
    return f"Risk: {level} ({worst.score} of 25), {count}. Gravest: {named}."


def _named(finding: Finding, german: bool) -> str:
    if not finding.citations:
        return finding.title
    return f"{finding.title} ({'S.' if german else 'p.'} {finding.citations[0].page})"

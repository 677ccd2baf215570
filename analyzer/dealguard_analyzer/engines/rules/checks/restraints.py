"""Restraints of trade: what a party may no longer do."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, matching, outcome
from dealguard_analyzer.engines.rules.facts.periods import find_periods, months

_AFTER = re.compile(
    r"\b(?:after|following|thereafter|nach (?:der |dem )?(?:beendigung|ende|ausscheiden)|nachvertraglich)"
)
_EMPLOYEE = re.compile(r"\b(?:arbeitnehmer\w*|arbeitsverhältnis\w*|mitarbeiter|handelsvertreter\w*|angestellte\w*)\b")
_COMPENSATION = re.compile(r"\bkarenzentschädigung|\bhälfte der\b.{0,80}\b(?:vertragsmäßigen|vergütung|leistungen)")


def _non_compete(case: Case) -> Outcome | None:
    sentences = case.clauses.of("Non-Compete")
    if not sentences:
        return None
    longest = max(
        (months(hit.period) for s in sentences if _AFTER.search(s.lower) for hit in find_periods(s.text)), default=0
    )
    return outcome(sentences, likelihood=4, impact=4 if longest > 24 else 3)


def _without_compensation(case: Case) -> Outcome | None:
    if not case.german_law:
        return None
    post = having(case.clauses.of("Non-Compete"), _AFTER)
    if not post or matching(case, _COMPENSATION) or not matching(case, _EMPLOYEE):
        return None
    return outcome(post)


def _exclusivity(case: Case) -> Outcome | None:
    return outcome(case.clauses.of("Exclusivity"))


def _no_solicit(case: Case) -> Outcome | None:
    return outcome(case.clauses.of("No-Solicit Of Employees") + case.clauses.of("No-Solicit Of Customers"))


CHECKS = (
    Check(
        id="non-compete",
        category="Non-Compete",
        title=Words("Non-compete", "Wettbewerbsverbot"),
        explanation=Words(
            "A party must not compete. Subject, territory and time decide how much of its business this closes.",
            "Eine Partei darf nicht in Wettbewerb treten. Gegenstand, Gebiet und Dauer entscheiden, wie viel"
            " Geschäft ihr verschlossen bleibt.",
        ),
        recommendation=Words(
            "Narrow subject, territory and time to what the contract needs; delete it for the time after the contract.",
            "Gegenstand, Gebiet und Zeit auf das Nötige begrenzen; für die Zeit nach dem Vertrag streichen.",
        ),
        deviation=Words(
            "Balanced restraints are narrow and end with the contract, or within two years.",
            "Ausgewogen ist ein enges Verbot, das mit dem Vertrag oder binnen zwei Jahren endet.",
        ),
        likelihood=4,
        impact=3,
        find=_non_compete,
        statutes=("§ 138 BGB", "§ 1 GWB", "§ 74 HGB", "§ 90a HGB"),
        hurts="bound",
    ),
    Check(
        id="non-compete-no-compensation",
        category="Non-Compete",
        title=Words(
            "Post-contractual non-compete without compensation",
            "Nachvertragliches Wettbewerbsverbot ohne Karenzentschädigung",
        ),
        explanation=Words(
            "An employee or commercial agent is bound after the end of the contract, and no compensation was"
            " found. Without it the restraint does not bind.",
            "Ein Arbeitnehmer oder Handelsvertreter wird nach Vertragsende gebunden; eine Karenzentschädigung"
            " wurde nicht gefunden. Ohne sie ist das Verbot unverbindlich oder nichtig.",
        ),
        recommendation=Words(
            "Promise at least half of the last remuneration, or delete the restraint.",
            "Mindestens die Hälfte der letzten Bezüge zusagen oder das Verbot streichen.",
        ),
        deviation=Words("The law demands compensation.", "Das Gesetz verlangt eine Entschädigung."),
        likelihood=4,
        impact=3,
        find=_without_compensation,
        assessment="check",
        statutes=("§ 74 Abs. 2 HGB", "§ 110 GewO", "§ 90a HGB"),
        hurts="bound",
    ),
    Check(
        id="exclusivity",
        category="Exclusivity",
        title=Words("Exclusivity", "Exklusivität"),
        explanation=Words(
            "A party is tied to the other and may not work with, buy from or sell to third parties in this field.",
            "Eine Partei ist an die andere gebunden und darf in diesem Bereich nicht mit Dritten arbeiten,"
            " kaufen oder verkaufen.",
        ),
        recommendation=Words(
            "Check field, territory and time; tie exclusivity to a minimum that the other side must reach.",
            "Bereich, Gebiet und Zeit prüfen; die Exklusivität an eine Mindestleistung der Gegenseite knüpfen.",
        ),
        deviation=Words(
            "Balanced exclusivity is paid for by a commitment of the other side.",
            "Ausgewogen ist Exklusivität nur gegen eine Verpflichtung der anderen Seite.",
        ),
        likelihood=3,
        impact=3,
        find=_exclusivity,
        assessment="check",
        statutes=("Art. 101 AEUV", "§ 1 GWB"),
        hurts="bound",
    ),
    Check(
        id="no-solicit",
        category="No-Solicit Of Employees",
        title=Words("No solicitation of employees or customers", "Abwerbeverbot für Mitarbeiter oder Kunden"),
        explanation=Words(
            "A party must not hire the other's people or approach its customers.",
            "Eine Partei darf Mitarbeiter oder Kunden der anderen nicht abwerben.",
        ),
        recommendation=Words(
            "Limit it to active solicitation, to the people involved, and to a year.",
            "Auf aktives Abwerben, beteiligte Personen und ein Jahr begrenzen.",
        ),
        deviation=Words(
            "Usually mutual and limited to a year.", "Üblich ist ein gegenseitiges, auf ein Jahr begrenztes Verbot."
        ),
        likelihood=2,
        impact=2,
        find=_no_solicit,
        statutes=("§ 75f HGB",),
        hurts="bound",
    ),
)

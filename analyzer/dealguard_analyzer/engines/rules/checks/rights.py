"""Intellectual property: what is given away, and for how long."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, outcome

_GIVEN = re.compile(
    r"\b(?:assign|convey|transfer|work(?:s)? (?:made )?for[- ]hire|überträgt|übertragen|gehen\b|stehen\b)"
)
_LICENCE = re.compile(r"\b(?:grant|licen[sc]e|right|nutzungsrecht|lizenz|recht)")


def _ip_assignment(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Ip Ownership Assignment"), _GIVEN))


def _perpetual(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Irrevocable Or Perpetual License"), _LICENCE))


def _joint(case: Case) -> Outcome | None:
    return outcome(case.clauses.of("Joint Ip Ownership"))


def _no_sue(case: Case) -> Outcome | None:
    return outcome(case.clauses.of("Covenant Not To Sue"))


CHECKS = (
    Check(
        id="ip-assignment",
        category="Ip Ownership Assignment",
        title=Words("Transfer of intellectual property", "Übertragung von Schutzrechten"),
        explanation=Words(
            "Inventions, works or other rights pass to the other party for good. Check that nothing that"
            " existed before passes with them.",
            "Erfindungen, Werke oder andere Rechte gehen endgültig über. Zu prüfen ist, dass Vorbestehendes"
            " nicht mit übergeht.",
        ),
        recommendation=Words(
            "Except background rights and know-how, make the transfer depend on payment, and keep a licence back.",
            "Vorbestehende Rechte und Know-how ausnehmen, den Übergang von der Zahlung abhängig machen,"
            " Rücklizenz vorsehen.",
        ),
        deviation=Words(
            "Balanced contracts grant a licence instead, or except background rights.",
            "Ausgewogen ist eine Lizenz oder eine Ausnahme für Vorbestehendes.",
        ),
        likelihood=4,
        impact=3,
        find=_ip_assignment,
        statutes=("§ 31 UrhG", "§ 29 UrhG", "ArbnErfG"),
        hurts="bound",
    ),
    Check(
        id="licence-perpetual",
        category="Irrevocable Or Perpetual License",
        title=Words("Perpetual or irrevocable licence", "Unbefristete oder unwiderrufliche Lizenz"),
        explanation=Words(
            "The licence outlives the contract and cannot be taken back, even on a breach.",
            "Die Lizenz überdauert den Vertrag und kann auch bei Verstößen nicht zurückgenommen werden.",
        ),
        recommendation=Words(
            "Limit it to the term, or let it end on material breach.",
            "Auf die Laufzeit begrenzen oder bei wesentlichem Verstoß enden lassen.",
        ),
        deviation=Words(
            "Licences usually last as long as the contract.", "Lizenzen gelten üblicherweise für die Vertragsdauer."
        ),
        likelihood=3,
        impact=3,
        find=_perpetual,
        statutes=("§ 31 UrhG", "§ 40a UrhG"),
        hurts="bound",
    ),
    Check(
        id="joint-ownership",
        category="Joint Ip Ownership",
        title=Words("Joint ownership of rights", "Gemeinschaftliche Rechte"),
        explanation=Words(
            "Results belong to both. Without rules on use, licensing and enforcement, each blocks the other.",
            "Ergebnisse gehören beiden. Ohne Regeln zu Nutzung, Lizenzierung und Durchsetzung blockieren sich"
            " die Parteien.",
        ),
        recommendation=Words(
            "Regulate use, licensing, costs and enforcement, or assign to one with a licence to the other.",
            "Nutzung, Lizenz, Kosten und Durchsetzung regeln oder einer Partei zuordnen.",
        ),
        deviation=Words("Clear allocation is usual.", "Üblich ist eine klare Zuordnung."),
        likelihood=2,
        impact=3,
        find=_joint,
        assessment="check",
        statutes=("§ 741 BGB", "§ 8 UrhG"),
    ),
    Check(
        id="no-challenge",
        category="Covenant Not To Sue",
        title=Words("Waiver of claims or of challenging rights", "Verzicht auf Klagen oder Angriffe auf Schutzrechte"),
        explanation=Words(
            "A party gives up claims, or the right to contest the other's rights.",
            "Eine Partei verzichtet auf Ansprüche oder darauf, Rechte der anderen anzugreifen.",
        ),
        recommendation=Words(
            "Limit it to the rights named and to the term; have it checked under competition law.",
            "Auf benannte Rechte und die Laufzeit begrenzen; kartellrechtlich prüfen.",
        ),
        deviation=Words("Balanced waivers are mutual.", "Ausgewogene Verzichte sind gegenseitig."),
        likelihood=2,
        impact=3,
        find=_no_sue,
        assessment="check",
        hurts="bound",
    ),
)

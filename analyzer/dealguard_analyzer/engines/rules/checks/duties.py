"""Duties beside the main one: audits, insurance, personal data."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, matching, outcome

_PERSONAL_DATA = re.compile(r"\b(?:personal data|personally identifiable information|personenbezogen\w* daten)\b")
_PROCESSING = re.compile(
    r"\b(?:process|processing|store|access|collect|transfer|handle|verarbeit\w*|speicher\w*|zugriff|erheb\w*|nutz\w*)"
)
_AGREEMENT = re.compile(
    r"\bdata processing (?:agreement|addendum)|\bauftragsverarbeitung\w*|\bauftragsdatenverarbeitung"
    r"|\bart(?:icle|ikel|\.)? ?28\b|\bstandard contractual clauses|\bstandardvertragsklauseln|\bav-vertrag"
)
_BURDEN = re.compile(
    r"\b(?:at any time|without (?:prior )?notice|unannounced|unrestricted|any time|jederzeit|unangekündigt|ohne"
    r" (?:vorherige )?ankündigung|unbeschränkt)"
)
_INSURANCE_DUTY = re.compile(
    r"\b(?:shall|will|must|agrees?|required|verpflichtet|unterhält|unterhalten|schließt|abzuschließen)\b"
)


def _no_processing_agreement(case: Case) -> Outcome | None:
    data = [s for s in matching(case, _PERSONAL_DATA) if _PROCESSING.search(s.lower)]
    return outcome(data) if data and not matching(case, _AGREEMENT) else None


def _audit(case: Case) -> Outcome | None:
    sentences = case.clauses.of("Audit Rights")
    heavy = having(sentences, _BURDEN)
    return outcome(heavy or sentences, likelihood=3 if heavy else 2, impact=3 if heavy else 2)


def _insurance(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Insurance"), _INSURANCE_DUTY))


CHECKS = (
    Check(
        id="data-no-processing-agreement",
        category="personalData",
        title=Words(
            "Personal data without a processing agreement",
            "Personenbezogene Daten ohne Vertrag zur Auftragsverarbeitung",
        ),
        explanation=Words(
            "Personal data are processed, and no data processing agreement is mentioned. If one side processes"
            " for the other and the GDPR applies, one is mandatory.",
            "Personenbezogene Daten werden verarbeitet, ein Vertrag zur Auftragsverarbeitung wird nicht"
            " erwähnt. Verarbeitet eine Seite im Auftrag der anderen, ist er Pflicht.",
        ),
        recommendation=Words(
            "Clarify the roles; conclude an agreement under Art. 28 GDPR where one side processes for the other.",
            "Rollen klären; bei Verarbeitung im Auftrag einen Vertrag nach Art. 28 DSGVO schließen.",
        ),
        deviation=Words("Usual as an annex.", "Als Anlage üblich."),
        likelihood=3,
        impact=4,
        find=_no_processing_agreement,
        assessment="check",
        statutes=("Art. 28 DSGVO", "Art. 83 DSGVO"),
    ),
    Check(
        id="audit",
        category="Audit Rights",
        title=Words("Audit and inspection rights", "Prüf- und Einsichtsrechte"),
        explanation=Words(
            "The other side may inspect books, premises or systems.",
            "Die Gegenseite darf Bücher, Räume oder Systeme prüfen.",
        ),
        recommendation=Words(
            "Agree notice, business hours, frequency, secrecy and who bears the costs.",
            "Ankündigung, Geschäftszeiten, Häufigkeit, Geheimhaltung und Kosten regeln.",
        ),
        deviation=Words("Usual once a year with notice.", "Üblich ist einmal im Jahr nach Ankündigung."),
        likelihood=2,
        impact=2,
        find=_audit,
        hurts="other",
    ),
    Check(
        id="insurance",
        category="Insurance",
        title=Words("Duty to insure", "Versicherungspflicht"),
        explanation=Words(
            "A party must hold insurance of the kind and sum named.",
            "Eine Partei muss die genannte Versicherung in der genannten Höhe unterhalten.",
        ),
        recommendation=Words(
            "Compare with the existing policy before signing.",
            "Vor Unterschrift mit der bestehenden Police abgleichen.",
        ),
        deviation=Words("Usual; the sums matter.", "Üblich; auf die Summen kommt es an."),
        likelihood=2,
        impact=2,
        find=_insurance,
        hurts="bound",
    ),
)

"""Duties beside the main one: audits, insurance, personal data."""

import re

from dealguard_analyzer.engines.rules.checks import Case, Check, Outcome, Words, having, matching, outcome

_DATA = r"(?:personal data|personally identifiable information|personenbezogen\w* (?:\w+ ){0,3}daten)"
_VERB = (
    r"(?:process\w*|stor(?:e|es|ed|ing)|host\w*|collect\w*|access to"
    r"|verarbeit\w*|speicher\w*|erheb\w*|zugriff auf|nutzt)"
)
_PROCESSED = re.compile(rf"\b{_VERB}\b.{{0,100}}\b{_DATA}|\b{_DATA}.{{0,120}}\b{_VERB}\b")
_NOT_PROCESSED = re.compile(
    r"\bredact|\bremov(?:e|ed|al)\b|\bkeine personenbezogen|\bno personal data|\bnot (?:process|contain|store)"
)
_AGREEMENT = re.compile(
    r"\bdata processing (?:agreement|addendum|terms)|\bauftragsverarbeitung\w*|\bauftragsdatenverarbeitung"
    r"|\bart(?:icle|ikel|\.)? ?28\b|\bstandard contractual clauses|\bstandardvertragsklauseln|\bav-vertrag"
    r"|\bgemeinsam\w* verantwortlich|\bjoint controllers?\b|\bindependent controllers?\b|\bdatenschutzerklärung\b"
)
_ON_BEHALF = re.compile(r"\b(?:im auftrag|in dessen auftrag|auf weisung|on behalf|on the instructions)\b")
_INSPECTED = r"(?:books|records|accounts|facilit\w+|premises|systems|documents|process|sites?)"
_AUDIT = re.compile(
    rf"\b(?:right|rights|may|entitled|permit|allow|afford|available|access|subject|shall)\b.{{0,200}}"
    rf"\b(?:audit|inspect|inspection|examine|examination|review)\b.{{0,160}}\b{_INSPECTED}\b"
    rf"|\b{_INSPECTED}\b.{{0,160}}\b(?:available|subject|open)\b.{{0,80}}\b(?:audit|inspect|inspection|examin\w+"
    rf"|review)\b"
    r"|\bmay (?:\w+ )?audit\b|\bright to (?:\w+ ){0,4}audit|\baudit rights?\b"
    r"|\bprüf|\beinsicht|\baudit\w*|\bkontroll"
)
_NOT_AUDIT = re.compile(
    r"\breverse engineer|"
    r"\bunaudited|\bfinancial statements|\bjudgment, injunction|\breceiving party\b|\bpublicly (?:known|available)"
    r"|\baudit committee|\bsecurityholders|\bfinancial"
    r" statements\b.{0,80}"
    r"\bprospectus|\bmaintenance specification|\bexempt certain|\bat the time of (?:disclosure|delivery)"
    r"|\bpatents?\b.{0,60}\bprosecut"
    r"|\bapplicable (?:federal|law)"
)
_BURDEN = re.compile(
    r"\b(?:at any time|without (?:prior )?notice|unannounced|unrestricted|any time|jederzeit|unangekündigt|ohne"
    r" (?:vorherige )?ankündigung|unbeschränkt)"
)
_INSURANCE_DUTY = re.compile(
    r"\b(?:shall|will|must|agrees? to|required to)\b.{0,120}\b(?:maintain|obtain|carry|procure|keep|provide|purchase"
    r"|take out"
    r"|effect)\b.{0,200}\binsurance\b"
    r"|\bversicher\w*\b.{0,160}\b(?:unterhält|unterhalten|abzuschließen|abschließen|verpflichtet|nachzuweisen|schließt)"
    r"|\b(?:unterhält|schließt|verpflichtet)\b.{0,160}\b\w*versicherung"
)
_NOT_INSURANCE = re.compile(
    r"\bbonds, certificates, insurance|\binsurance proceeds|\bto the extent that\b.{0,120}\binsurance"
    r"|\bissuance\b.{0,60}\binsurance"
    r"|\binsurance compan(?:y|ies) in|\baggregate liability|\bpermits\b.{0,40}\binsurance|\bfees, disbursements"
    r"|\bmanufacturer['’]s recommendations|\bsocial security|\bkrankenversicherung|\bsozialversicherung"
)


def _no_processing_agreement(case: Case) -> Outcome | None:
    """Personal data are processed and no agreement under Art. 28 GDPR is named; a risk if it is said to be on"
    " behalf."""
    data = matching(case, _PROCESSED, _NOT_PROCESSED)
    if not data or matching(case, _AGREEMENT):
        return None
    on_behalf = [s for s in data if _ON_BEHALF.search(s.lower)]
    certain = bool(on_behalf) and case.german_law
    return outcome(on_behalf or data, assessment="risk" if certain else "check", focus=_PROCESSED)


def _audit(case: Case) -> Outcome | None:
    sentences = having(case.clauses.of("Audit Rights"), _AUDIT, _NOT_AUDIT)
    heavy = having(sentences, _BURDEN)
    return outcome(heavy or sentences, likelihood=3 if heavy else 2, impact=3 if heavy else 2, focus=_AUDIT)


def _insurance(case: Case) -> Outcome | None:
    return outcome(having(case.clauses.of("Insurance"), _INSURANCE_DUTY, _NOT_INSURANCE), focus=_INSURANCE_DUTY)


CHECKS = (
    Check(
        id="data-no-processing-agreement",
        category="personalData",
        title=Words(
            "Personal data without a processing agreement",
            "Personenbezogene Daten ohne Vertrag zur Auftragsverarbeitung",
        ),
        explanation=Words(
            "The sentence quoted says that personal data are processed, and no data processing agreement is mentioned"
            " anywhere. If one side processes for the other and the GDPR applies, one is mandatory.",
            "Nach der zitierten Stelle werden personenbezogene Daten verarbeitet, ein Vertrag zur Auftragsverarbeitung"
            " wird nirgends erwähnt. Verarbeitet eine Seite im Auftrag der anderen, ist er Pflicht.",
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

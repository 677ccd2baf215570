"""Each check finds its clause, in both languages, and leaves the balanced wording alone."""

import pytest

from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.rules.checks.all import ALL_CHECKS
from dealguard_analyzer.engines.rules.engine import RulesEngine
from dealguard_api.report import Finding, Language, Report
from tests.contract_texts import document_of
from tests.unit.test_rules_german import FOUND as GERMAN_CASES

_ENGLISH_FRAME = (
    'SUPPLY AGREEMENT\nThis Agreement is made as of May 2, 2023 by and between Alpha Example LLC ("Supplier") and Beta'
    ' Example Inc. ("Buyer").\nThe parties hereby agree to the terms and obligations of this Agreement.\n'
)
_GERMAN_FRAME = (
    "Liefervertrag\nzwischen Alpha Beispiel GmbH – nachfolgend „Lieferant“ – und Beta Beispiel GmbH – nachfolgend"
    " „Käufer“ –\nDie Parteien schließen diesen Vertrag und verpflichten sich zur vereinbarten Vergütung.\n"
)
_CONSUMER_FRAME = (
    "Allgemeine Geschäftsbedingungen\nDiese Geschäftsbedingungen gelten für alle Verträge mit Verbrauchern.\n"
    "Die Vergütung, die Haftung und die Kündigung richten sich nach diesem Vertrag zwischen den Parteien.\n"
)


def report_on(
    clause: str, language: Language = "en", frame: str | None = None, perspective: str | None = None
) -> Report:
    text = (frame or {"en": _ENGLISH_FRAME, "de": _GERMAN_FRAME}[language]) + clause
    return RulesEngine().analyze(EngineRequest(document_of(text, language=language), language, perspective))


def finding(report: Report, check: str) -> Finding | None:
    """The finding of a check: its id, or its id and a digest."""
    for found in report.findings:
        if found.id == check or found.id[: -len("-12345678")] == check:
            return found
    return None


@pytest.mark.parametrize(
    ("check", "language", "clause"),
    [
        ("liability-unlimited", "de", "Der Käufer haftet für alle Schäden der Höhe nach unbegrenzt."),
        ("liability-unlimited", "en", "Buyer accepts unlimited liability for all damage."),
        (
            "liability-one-sided-cap",
            "en",
            "Supplier's total liability under this Agreement shall not exceed the fees paid.",
        ),
        ("liability-intent-gross-negligence", "de", "Die Haftung ist ausgeschlossen, auch bei grober Fahrlässigkeit."),
        ("liability-exclusion-without-exceptions", "de", "Die Haftung des Lieferanten ist ausgeschlossen."),
        (
            "liability-life-body-health",
            "de",
            "Die Haftung des Lieferanten ist ausgeschlossen. Dies gilt nicht bei Vorsatz.",
        ),
        ("liability-broad-indemnity", "en", "Buyer shall indemnify Supplier from any and all claims whatsoever."),
        ("liability-broad-indemnity", "de", "Der Käufer stellt den Lieferanten von allen Ansprüchen Dritter frei."),
        ("term-automatic-renewal", "en", "This Agreement shall automatically renew for one (1) year terms."),
        (
            "term-automatic-renewal",
            "de",
            "Der Vertrag verlängert sich um ein Jahr, wenn er nicht drei Monate vor Ablauf gekündigt wird.",
        ),
        (
            "term-one-sided-convenience",
            "en",
            "Supplier may terminate this Agreement for convenience at any time upon notice.",
        ),
        ("term-good-cause-excluded", "de", "Die außerordentliche Kündigung ist ausgeschlossen."),
        ("term-termination-excluded", "de", "Die ordentliche Kündigung ist während dieser Zeit ausgeschlossen."),
        ("term-long", "en", "The initial term of this Agreement is ten (10) years."),
        ("price-unilateral-change", "en", "Supplier may increase the prices at any time."),
        ("price-unilateral-change", "de", "Der Lieferant ist berechtigt, die Preise jederzeit zu erhöhen."),
        ("penalty", "en", "Buyer shall pay $10,000 as liquidated damages and not as a penalty."),
        ("penalty", "de", "Der Käufer zahlt eine Vertragsstrafe von 5.000 EUR."),
        ("lump-sum-no-proof", "de", "Der Käufer schuldet eine Schadenspauschale von 25 Prozent."),
        ("minimum-commitment", "en", "Buyer shall purchase minimum quantities of 500 units each month."),
        (
            "minimum-commitment",
            "de",
            "Die Mindestabnahme beträgt 500 Stück im Monat; der Käufer ist dazu verpflichtet.",
        ),
        ("most-favoured", "en", "Buyer shall receive most favored customer pricing."),
        ("most-favoured", "de", "Es gilt eine Meistbegünstigung zugunsten des Käufers."),
        ("high-interest", "en", "Late payments bear interest at 18% per annum."),
        ("non-compete", "en", "Buyer shall not engage in any business that competes with Supplier."),
        ("non-compete", "de", "Der Käufer unterliegt einem Wettbewerbsverbot."),
        (
            "non-compete-no-compensation",
            "de",
            "Der Arbeitnehmer unterliegt nach Ende des Arbeitsverhältnisses zwei Jahre einem Wettbewerbsverbot.",
        ),
        ("exclusivity", "en", "Supplier hereby grants Buyer the exclusive right to distribute the products."),
        ("exclusivity", "de", "Der Käufer erhält den exklusiven Vertrieb."),
        ("no-solicit", "en", "Buyer shall not solicit or hire any employee of Supplier."),
        ("no-solicit", "de", "Der Käufer darf keine Mitarbeiter des Lieferanten abwerben."),
        ("assignment-restricted", "en", "Neither party may assign this Agreement without prior written consent."),
        ("assignment-restricted", "de", "Die Abtretung von Rechten aus diesem Vertrag bedarf der Zustimmung."),
        (
            "assignment-one-sided",
            "en",
            "Buyer shall not assign this Agreement without Supplier's prior written consent.",
        ),
        ("change-of-control", "en", "Supplier may terminate upon a change of control of Buyer."),
        ("change-of-control", "de", "Bei einem Kontrollwechsel kann der Lieferant den Vertrag kündigen."),
        ("first-refusal", "en", "Supplier has a right of first refusal for any sale of the plant."),
        ("first-refusal", "de", "Der Lieferant hat ein Vorkaufsrecht."),
        ("ip-assignment", "en", "Buyer hereby assigns to Supplier all right, title and interest in all inventions."),
        ("ip-assignment", "de", "Der Käufer überträgt alle Schutzrechte an den Ergebnissen auf den Lieferanten."),
        ("licence-perpetual", "en", "Buyer grants Supplier a perpetual, irrevocable license to use the data."),
        ("licence-perpetual", "de", "Der Käufer räumt dem Lieferanten ein unwiderrufliches Nutzungsrecht ein."),
        ("joint-ownership", "en", "The parties shall jointly own the joint inventions."),
        ("no-challenge", "en", "Buyer shall not contest the validity of the trademarks."),
        ("law-foreign", "de", "Es gilt österreichisches Recht."),
        ("arbitration", "en", "Any dispute shall be finally settled by binding arbitration."),
        ("arbitration", "de", "Ein Schiedsgericht entscheidet endgültig unter Ausschluss des ordentlichen Rechtswegs."),
        ("jury-waiver", "en", "Each party waives its right to a jury trial."),
        ("data-no-processing-agreement", "en", "Supplier will process personal data of Buyer's employees."),
        ("data-no-processing-agreement", "de", "Der Lieferant verarbeitet personenbezogene Daten des Käufers."),
        ("audit", "en", "Supplier may audit the books and records of Buyer."),
        ("audit", "de", "Der Lieferant ist zur Einsicht in die Unterlagen berechtigt; es besteht ein Prüfungsrecht."),
        ("insurance", "en", "Buyer shall maintain liability insurance coverage of $1,000,000."),
        ("insurance", "de", "Der Käufer ist verpflichtet, eine Haftpflichtversicherung zu unterhalten."),
        ("form-double", "de", "Auch der Verzicht auf dieses Schriftformerfordernis bedarf der Schriftform."),
        ("terms-unilateral-change", "en", "Supplier may change these terms at any time."),
        ("terms-unilateral-change", "de", "Der Lieferant behält sich vor, diese Bedingungen jederzeit zu ändern."),
        ("rent-deposit", "de", "Der Mieter der Wohnung zahlt eine Kaution von vier Monatsmieten."),
        ("liability-no-cap", "en", "Buyer is liable for damage. Supplier is liable for damage, too."),
        ("law-missing", "en", "The goods are delivered on Mondays."),
        ("venue-missing", "en", "The goods are delivered on Mondays."),
    ],
)
def test_a_check_finds_its_clause(check: str, language: Language, clause: str) -> None:
    report = report_on(clause, language)
    found = finding(report, check)
    assert found is not None, [f.id for f in report.findings]
    assert all(citation.verified and citation.quote in _frame(language) + clause for citation in found.citations)


def _frame(language: Language) -> str:
    return {"en": _ENGLISH_FRAME, "de": _GERMAN_FRAME}[language]


def test_every_check_has_a_case_above() -> None:
    marks = test_a_check_finds_its_clause.pytestmark  # type: ignore[attr-defined]
    tried = {case[0] for mark in marks for case in mark.args[1]} | {case[0] for case in GERMAN_CASES}
    assert tried == {check.id for check in ALL_CHECKS}


@pytest.mark.parametrize(
    ("check", "language", "clause"),
    [
        (
            "liability-exclusion-without-exceptions",
            "de",
            "Die Haftung ist ausgeschlossen. Ausgenommen sind Vorsatz, grobe Fahrlässigkeit und die Verletzung von"
            " Leben, Körper und Gesundheit.",
        ),
        (
            "liability-intent-gross-negligence",
            "de",
            "Die Haftung für einfache Fahrlässigkeit ist ausgeschlossen; Vorsatz und grobe Fahrlässigkeit bleiben"
            " unberührt.",
        ),
        ("liability-broad-indemnity", "en", "Buyer shall indemnify Supplier from claims caused by Buyer's negligence."),
        ("price-unilateral-change", "en", "Prices may be increased by mutual agreement only."),
        ("penalty", "de", "Es wird keine Vertragsstrafe vereinbart."),
        ("venue-consumer", "de", "Ist der Käufer Kaufmann, ist Gerichtsstand Berlin."),
        ("exclusivity", "en", "Supplier hereby grants Buyer a non-exclusive right to distribute the products."),
        ("assignment-one-sided", "en", "Neither party may assign this Agreement without prior written consent."),
        ("law-missing", "en", "This Agreement is governed by the laws of the State of Ohio."),
        ("law-foreign", "de", "Es gilt deutsches Recht."),
        (
            "data-no-processing-agreement",
            "de",
            "Der Lieferant verarbeitet personenbezogene Daten nach dem Vertrag zur Auftragsverarbeitung.",
        ),
        ("form-double", "de", "Änderungen bedürfen der Schriftform; Individualabreden gehen vor."),
        ("term-automatic-renewal", "en", "This Agreement shall not automatically renew."),
        ("term-automatic-renewal", "en", "This Agreement will not renew automatically for additional one-year terms."),
        ("term-automatic-renewal", "en", "The term of this Agreement shall not be automatically renewed."),
        ("term-automatic-renewal", "de", "Der Vertrag verlängert sich nicht automatisch um ein weiteres Jahr."),
        ("non-compete", "en", "Buyer is not subject to any non-compete."),
        ("non-compete", "de", "Ein Wettbewerbsverbot besteht nicht."),
        ("non-compete", "de", "Der Käufer unterliegt keinem Wettbewerbsverbot."),
    ],
)
def test_a_balanced_clause_is_left_alone(check: str, language: Language, clause: str) -> None:
    assert finding(report_on(clause, language), check) is None


@pytest.mark.parametrize(
    ("check", "clause"),
    [
        ("term-309-nr-9", "Der Vertrag verlängert sich um jeweils ein Jahr, wenn er nicht gekündigt wird."),
        ("form-309-nr-13", "Die Kündigung muss schriftlich per Einschreiben erfolgen."),
        ("venue-consumer", "Gerichtsstand ist Berlin."),
    ],
)
def test_towards_consumers_it_is_a_risk_and_otherwise_a_question(check: str, clause: str) -> None:
    consumer = finding(report_on(clause, "de", frame=_CONSUMER_FRAME), check)
    assert consumer is not None and consumer.assessment == "risk"
    unknown = finding(report_on(clause, "de", frame=_CONSUMER_FRAME.replace("Verbrauchern", "Kunden")), check)
    assert unknown is not None and unknown.assessment == "check"
    assert finding(report_on(clause, "de"), check) is None  # two companies


def test_statutes_only_under_german_law() -> None:
    english = finding(
        report_on("Buyer shall pay liquidated damages of $1,000.\nThe laws of Ohio govern this Agreement."), "penalty"
    )
    german = finding(report_on("Der Käufer zahlt eine Vertragsstrafe.", "de"), "penalty")
    assert english is not None and english.statutes == []
    assert german is not None and "§ 339 BGB" in german.statutes


def test_a_finding_names_whom_it_hurts() -> None:
    bound = finding(report_on("Buyer shall not engage in any business that competes with Supplier."), "non-compete")
    other = finding(report_on("Supplier may increase the prices at any time."), "price-unilateral-change")
    assert bound is not None and bound.perspective == "Buyer"
    assert other is not None and other.perspective == "Buyer"


@pytest.mark.parametrize(
    ("check", "clause", "hurt"),
    [
        ("first-refusal", "Supplier shall have a right of first refusal to buy the business.", "Buyer"),
        ("first-refusal", "Buyer shall first offer to Supplier under the right of first refusal.", None),
        ("assignment-restricted", "Supplier may assign this Agreement without the consent of the Buyer.", None),
        ("assignment-restricted", "Buyer may not assign this Agreement without prior written consent.", "Buyer"),
    ],
)
def test_a_right_does_not_bind_its_holder(check: str, clause: str, hurt: str | None) -> None:
    found = finding(report_on(clause), check)
    assert (found.perspective if found else None) == hurt
    if hurt is None:  # not certain: it weighs the same from every side
        sides = [finding(report_on(clause, perspective=side), check) for side in (None, "Buyer", "Supplier")]
        assert len({side.severity.score for side in sides if side is not None}) <= 1


def test_what_hurts_the_other_side_weighs_less() -> None:
    clause = "Buyer shall not engage in any business that competes with Supplier."
    for perspective, likelihood in (
        ("Buyer", 4),
        ("Supplier", 1),
        ("Beta Example Inc.", 4),
        ("Somebody else", 4),
        (None, 4),
    ):
        found = finding(report_on(clause, perspective=perspective), "non-compete")
        assert found is not None and found.severity.likelihood == likelihood, perspective


def test_words_are_in_the_reports_language() -> None:
    german = finding(report_on("Der Käufer unterliegt einem Wettbewerbsverbot.", "de"), "non-compete")
    english = finding(report_on("Buyer shall not engage in a business that competes."), "non-compete")
    assert german is not None and german.title == "Wettbewerbsverbot"
    assert english is not None and english.title == "Non-compete"


def test_ids_are_unique_and_follow_the_text() -> None:
    clause = "Supplier may audit the books of Buyer."
    report = report_on(clause)
    assert len({f.id for f in report.findings}) == len(report.findings)
    assert finding(report, "audit") == finding(report_on(clause), "audit")
    assert finding(report, "audit") != finding(report_on(clause.replace("books", "records")), "audit")

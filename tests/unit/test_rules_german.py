"""The German checks: each finds its clause, spares the balanced wording, and tells consumers from businesses."""

import pytest

from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.rules.checks.all import ALL_CHECKS
from dealguard_analyzer.engines.rules.checks.single_clause import VOID_CHECKS, void_reasons
from dealguard_analyzer.engines.rules.engine import RulesEngine
from dealguard_api.report import Finding, Report
from tests.contract_texts import document_of

SHOP = (
    "Allgemeine Geschäftsbedingungen\nDiese Geschäftsbedingungen gelten für alle Verträge mit Verbrauchern.\n"
    "Die Vergütung, die Haftung und die Kündigung richten sich nach diesem Vertrag zwischen den Parteien.\n"
)
UNKNOWN = SHOP.replace("Verbrauchern", "Kunden")
COMPANIES = (
    "Rahmenvertrag\nzwischen Alpha Beispiel GmbH – nachfolgend „Anbieter“ – und Beta Beispiel GmbH – nachfolgend"
    " „Kunde“ –\nDie Parteien schließen diesen Vertrag und verpflichten sich zur vereinbarten Vergütung.\n"
)
EMPLOYMENT = (
    "Arbeitsvertrag\nzwischen Alpha Beispiel GmbH – nachfolgend „Arbeitgeber“ – und Frau Ina Beispiel, Berlin –"
    " nachfolgend „Arbeitnehmer“ –\nDer Arbeitnehmer verpflichtet sich zur Arbeit, der Arbeitgeber zur Vergütung.\n"
)
LEASE = (
    "Wohnungsmietvertrag\nzwischen Frau Ada Beispiel, Berlin – nachfolgend „Vermieter“ – und Herrn Udo Beispiel,"
    " Berlin – nachfolgend „Mieter“ –\nDer Vermieter vermietet dem Mieter die Wohnung; die Parteien vereinbaren diesen"
    " Vertrag.\nDie Nettokaltmiete beträgt 700,00 EUR im Monat.\n"
)


def report_on(clause: str, frame: str) -> Report:
    return RulesEngine().analyze(EngineRequest(document_of(frame + clause, language="de"), "de"))


def finding(report: Report, check: str) -> Finding | None:
    return next((found for found in report.findings if found.id[: -len("-12345678")] == check), None)


FOUND = [
    ("agb-surprising", SHOP, "Nach der Testphase wird das Probeabo zu einem kostenpflichtigen Abonnement."),
    ("agb-delivery-period", SHOP, "Angegebene Lieferzeiten sind unverbindlich."),
    ("agb-acceptance-period", SHOP, "Der Kunde ist an sein Angebot vier Wochen gebunden."),
    ("agb-withdrawal-reservation", SHOP, "Wir behalten uns vor, jederzeit vom Vertrag zurückzutreten."),
    ("agb-performance-change", SHOP, "Der Anbieter ist berechtigt, die Leistung jederzeit zu ändern."),
    (
        "agb-fictitious-consent",
        SHOP,
        "Änderungen gelten als genehmigt, wenn der Kunde nicht binnen zwei Wochen widerspricht.",
    ),
    ("agb-fictitious-receipt", SHOP, "Eine Erklärung gilt am dritten Tag nach der Absendung als zugegangen."),
    ("agb-cancellation-fee", SHOP, "Bei einer Stornierung wird eine Gebühr von 30 % des Preises fällig."),
    ("agb-as-far-as-lawful", SHOP, "Die Haftung ist, soweit gesetzlich zulässig, ausgeschlossen."),
    ("agb-burden-of-proof", SHOP, "Der Kunde hat zu beweisen, dass der Anbieter den Schaden verursacht hat."),
    ("agb-assignment-ban", SHOP, "Der Kunde darf seine Ansprüche gegen den Anbieter nicht abtreten."),
    ("set-off-ban", SHOP, "Die Aufrechnung durch den Kunden wird ausgeschlossen und ist unzulässig."),
    (
        "set-off-limited",
        SHOP,
        "Der Kunde kann nur mit unbestrittenen oder rechtskräftig festgestellten Forderungen aufrechnen.",
    ),
    ("retention-ban", SHOP, "Ein Zurückbehaltungsrecht des Kunden wird ausgeschlossen, es gilt kein solches."),
    ("no-reminder", SHOP, "Der Kunde kommt ohne Mahnung in Verzug und schuldet Zinsen."),
    ("lump-sum-no-proof", SHOP, "Die Mahngebühr beträgt 10 EUR für jede Mahnung."),
    ("price-before-delivery", SHOP, "Unsere Preise sind freibleibend und gelten ab Lager."),
    ("warranty-excluded", SHOP, "Die Gewährleistung ist ausgeschlossen."),
    ("warranty-short", SHOP, "Mängelansprüche verjähren in sechs Monaten."),
    ("warranty-notice", SHOP, "Der Kunde hat Mängel innerhalb von drei Tagen anzuzeigen."),
    ("warranty-sellers-choice", SHOP, "Bei Mängeln leisten wir nach unserer Wahl Nachbesserung oder Ersatzlieferung."),
    ("transport-risk", SHOP, "Die Lieferung erfolgt auf Gefahr des Käufers."),
    ("withdrawal-limited", SHOP, "Die Rücksendung muss in der ungeöffneten Originalverpackung erfolgen."),
    ("form-309-nr-13", SHOP, "Die Kündigung muss schriftlich per Einschreiben erfolgen."),
    ("venue-consumer", SHOP, "Gerichtsstand ist Berlin."),
    ("term-309-nr-9", SHOP, "Der Vertrag hat eine Laufzeit von 36 Monaten."),
    (
        "penalty-309-nr-6",
        SHOP,
        "Bei Nichtabnahme der Ware zahlt der Kunde eine Vertragsstrafe von 100 EUR.",
    ),
    (
        "penalty-without-fault",
        COMPANIES,
        "Der Kunde zahlt unabhängig von einem Verschulden eine Vertragsstrafe von 5.000 EUR.",
    ),
    ("penalty-merchant", COMPANIES, "Der Kunde zahlt für jeden Verstoß eine Vertragsstrafe von 5.000 EUR."),
    (
        "employment-notice-short",
        EMPLOYMENT,
        "Das Arbeitsverhältnis kann mit einer Frist von zwei Wochen gekündigt werden.",
    ),
    ("employment-probation-long", EMPLOYMENT, "Die Probezeit beträgt zwölf Monate."),
    (
        "employment-notice-unequal",
        EMPLOYMENT,
        "Die Kündigungsfrist beträgt für den Arbeitgeber vier Wochen. Die Kündigungsfrist beträgt für den Arbeitnehmer"
        " drei Monate.",
    ),
    ("employment-forfeit", EMPLOYMENT, "Alle Ansprüche verfallen, wenn sie nicht binnen eines Monats erhoben werden."),
    ("employment-overtime", EMPLOYMENT, "Überstunden sind mit dem Gehalt abgegolten."),
    (
        "non-compete-too-long",
        EMPLOYMENT,
        "Nach Beendigung unterliegt der Arbeitnehmer drei Jahre lang einem Wettbewerbsverbot.",
    ),
    (
        "non-compete-low-compensation",
        EMPLOYMENT,
        "Für das Wettbewerbsverbot zahlt der Arbeitgeber eine Karenzentschädigung von 30 % der letzten Bezüge.",
    ),
    ("rent-deposit", LEASE, "Der Mieter zahlt eine Kaution von 2.800,00 EUR."),
    ("rent-tenant-notice", LEASE, "Der Mieter kann mit einer Frist von sechs Monaten kündigen."),
    (
        "rent-termination-waiver",
        LEASE,
        "Beide Parteien verzichten für die Dauer von sechs Jahren auf das Recht zur Kündigung.",
    ),
    (
        "rent-cosmetic-repairs",
        LEASE,
        "Der Mieter hat die Schönheitsreparaturen auszuführen. Küche und Bad sind alle drei Jahre zu renovieren.",
    ),
    ("rent-final-renovation", LEASE, "Bei Auszug hat der Mieter die Wohnung vollständig zu streichen."),
    ("rent-small-repairs", LEASE, "Kleinreparaturen trägt der Mieter; das gilt für alle Installationen."),
]


@pytest.mark.parametrize(("check", "frame", "clause"), FOUND)
def test_a_check_finds_its_clause(check: str, frame: str, clause: str) -> None:
    report = report_on(clause, frame)
    found = finding(report, check)
    assert found is not None, [other.id for other in report.findings]
    assert found.statutes and found.citations
    assert all(citation.verified and citation.quote in clause for citation in found.citations)


@pytest.mark.parametrize(
    ("check", "frame", "clause"),
    [
        ("agb-delivery-period", SHOP, "Liefertermine sind unverbindlich, soweit sie nicht verbindlich zugesagt sind."),
        ("agb-acceptance-period", SHOP, "Der Kunde ist an sein Angebot drei Tage gebunden."),
        (
            "agb-withdrawal-reservation",
            SHOP,
            "Wir sind berechtigt, vom Vertrag zurückzutreten, wenn der Kunde in Verzug gerät.",
        ),
        ("agb-performance-change", SHOP, "Handelsübliche Abweichungen bleiben vorbehalten, wenn sie zumutbar sind."),
        (
            "agb-fictitious-consent",
            SHOP,
            "Änderungen gelten als genehmigt, wenn der Kunde nicht binnen zwei Wochen widerspricht. In der Mitteilung"
            " wird er darauf besonders hingewiesen.",
        ),
        (
            "lump-sum-no-proof",
            SHOP,
            "Die Mahngebühr beträgt 2 EUR; dem Kunden bleibt der Nachweis unbenommen, dass kein Schaden entstand.",
        ),
        (
            "set-off-limited",
            SHOP,
            "Der Kunde kann nur mit unbestrittenen Forderungen oder solchen aus demselben Vertrag aufrechnen.",
        ),
        ("warranty-sellers-choice", SHOP, "Der Verbraucher wählt zwischen Nachbesserung und Ersatzlieferung."),
        ("warranty-short", SHOP, "Mängelansprüche verjähren in zwei Jahren."),
        ("transport-risk", SHOP, "Ist der Kunde Unternehmer, erfolgt der Versand auf Gefahr des Käufers."),
        ("warranty-notice", SHOP, "Unternehmer haben Mängel innerhalb von drei Tagen anzuzeigen."),
        ("no-reminder", SHOP, "Der Kunde kommt 30 Tage nach Zugang der Rechnung ohne Mahnung in Verzug."),
        (
            "term-309-nr-9",
            SHOP,
            "Der Vertrag verlängert sich auf unbestimmte Zeit und ist mit einer Frist von einem Monat kündbar.",
        ),
        ("term-309-nr-9", LEASE, "Der Vertrag hat eine Laufzeit von 36 Monaten."),  # a lease
        ("form-309-nr-13", EMPLOYMENT, "Die Kündigung muss schriftlich erfolgen."),  # § 623 BGB
        ("form-309-nr-13", LEASE, "Die Kündigung muss schriftlich erfolgen."),  # § 568 BGB
        (
            "penalty",
            COMPANIES,
            "Bei schuldhaftem Verzug zahlt der Anbieter eine Vertragsstrafe von 0,5 %, höchstens 5 % des Preises.",
        ),
        (
            "employment-notice-short",
            EMPLOYMENT,
            "Während der Probezeit kann mit einer Frist von zwei Wochen gekündigt werden.",
        ),
        ("employment-probation-long", EMPLOYMENT, "Die Probezeit beträgt sechs Monate."),
        (
            "employment-notice-unequal",
            EMPLOYMENT,
            "Die Kündigungsfrist beträgt für den Arbeitgeber drei Monate und für den Arbeitnehmer vier Wochen.",
        ),
        (
            "employment-forfeit",
            EMPLOYMENT,
            "Ansprüche verfallen nach drei Monaten. Dies gilt nicht für den Mindestlohn und bei Vorsatz.",
        ),
        ("employment-overtime", EMPLOYMENT, "Bis zu zehn Überstunden sind mit dem Gehalt abgegolten."),
        (
            "non-compete-low-compensation",
            EMPLOYMENT,
            "Für das Wettbewerbsverbot zahlt der Arbeitgeber eine Karenzentschädigung von 50 % der letzten Bezüge.",
        ),
        ("rent-deposit", LEASE, "Der Mieter zahlt eine Kaution von 2.100,00 EUR."),
        ("rent-tenant-notice", LEASE, "Der Mieter kann mit einer Frist von drei Monaten kündigen."),
        ("rent-termination-waiver", LEASE, "Beide Parteien verzichten für zwei Jahre auf das Recht zur Kündigung."),
        (
            "rent-cosmetic-repairs",
            LEASE,
            "Der Mieter führt die Schönheitsreparaturen aus, in der Regel alle drei Jahre, soweit erforderlich.",
        ),
        ("rent-small-repairs", LEASE, "Kleinreparaturen trägt der Mieter bis zu 90 EUR im Einzelfall."),
        ("employment-notice-short", COMPANIES, "Der Vertrag kann mit einer Frist von zwei Wochen gekündigt werden."),
        ("rent-deposit", COMPANIES, "Der Kunde zahlt eine Kaution von 2.800,00 EUR."),
    ],
)
def test_a_balanced_clause_is_left_alone(check: str, frame: str, clause: str) -> None:
    assert finding(report_on(clause, frame), check) is None


@pytest.mark.parametrize(
    ("check", "clause", "between_businesses"),
    [
        # § 307 takes these up between businesses, § 310 (1) BGB
        ("set-off-ban", "Die Aufrechnung durch den Kunden ist ausgeschlossen.", "check"),
        ("agb-performance-change", "Der Anbieter ist berechtigt, die Leistung jederzeit zu ändern.", "check"),
        ("liability-exclusion-without-exceptions", "Die Haftung des Anbieters ist ausgeschlossen.", "check"),
        (
            "liability-intent-gross-negligence",
            "Die Haftung ist auch bei grober Fahrlässigkeit ausgeschlossen.",
            "check",
        ),
        ("lump-sum-no-proof", "Die Mahngebühr beträgt 10 EUR für jede Mahnung.", "check"),
        # these are rules for consumers alone
        ("agb-assignment-ban", "Der Kunde darf seine Ansprüche gegen den Anbieter nicht abtreten.", None),
        ("transport-risk", "Die Lieferung erfolgt auf Gefahr des Kunden.", None),
        ("warranty-notice", "Der Kunde hat Mängel innerhalb von drei Tagen anzuzeigen.", None),
        ("term-309-nr-9", "Der Vertrag hat eine Laufzeit von 36 Monaten.", None),
        ("form-309-nr-13", "Die Kündigung muss schriftlich per Einschreiben erfolgen.", None),
    ],
)
def test_consumers_and_businesses_are_told_apart(check: str, clause: str, between_businesses: str | None) -> None:
    consumer, unknown, business = (finding(report_on(clause, frame), check) for frame in (SHOP, UNKNOWN, COMPANIES))
    assert consumer is not None and consumer.assessment == "risk"
    assert unknown is not None and unknown.assessment == "check"
    assert (business.assessment if business else None) == between_businesses
    if business is not None and check != "liability-intent-gross-negligence":
        assert "§§ 307, 310 Abs. 1 BGB" in business.explanation


def test_intent_cannot_be_excluded_even_between_businesses() -> None:
    found = finding(
        report_on("Die Haftung ist auch bei Vorsatz ausgeschlossen.", COMPANIES), "liability-intent-gross-negligence"
    )
    assert found is not None and found.assessment == "risk" and "§ 276 Abs. 3 BGB" in found.statutes


@pytest.mark.parametrize(
    ("clause", "before", "after"),
    [
        ("Der Vertrag verlängert sich um ein Jahr, wenn er nicht gekündigt wird.", False, True),
        ("Der Vertrag verlängert sich um zwei Jahre, wenn er nicht gekündigt wird.", True, True),
        ("Der Vertrag kann mit einer Frist von drei Monaten gekündigt werden.", False, True),
        ("Der Vertrag kann mit einer Frist von sechs Monaten gekündigt werden.", True, True),
        ("Der Vertrag hat eine Laufzeit von 36 Monaten.", True, True),
    ],
)
def test_a_contract_before_march_2022_is_judged_by_the_law_of_its_day(clause: str, before: bool, after: bool) -> None:
    for date, expected in (("10. Januar 2020", before), ("10. Januar 2024", after)):
        frame = SHOP.replace("Diese Geschäfts", f"Vertrag vom {date}.\nDiese Geschäfts")
        assert (finding(report_on(clause, frame), "term-309-nr-9") is not None) is expected, date


@pytest.mark.parametrize(
    ("sentence", "consumer"),
    [
        ("Die Vergütung folgt dem Verbraucherpreisindex.", None),
        ("Wir nehmen an keiner Verbraucherschlichtung teil.", None),
        ("Das Angebot richtet sich nur an Unternehmer.", False),
        ("Verbraucher haben ein Widerrufsrecht.", True),
    ],
)
def test_a_price_index_does_not_make_a_consumer(sentence: str, consumer: bool | None) -> None:
    found = finding(report_on(f"{sentence}\nGerichtsstand ist Berlin.", UNKNOWN), "venue-consumer")
    expected = {None: "check", True: "risk", False: None}[consumer]
    assert (found.assessment if found else None) == expected


def test_german_rules_stay_silent_under_another_law() -> None:
    report = report_on("Die Aufrechnung ist ausgeschlossen.\nEs gilt österreichisches Recht.", COMPANIES)
    assert finding(report, "set-off-ban") is None
    assert all(not found.statutes for found in report.findings)


@pytest.mark.parametrize(
    ("clause", "reasons"),
    [
        (
            "Der Kunde kann nur mit unbestrittenen oder rechtskräftig festgestellten Forderungen aufrechnen.",
            {"set-off-limited"},
        ),
        ("Die Lieferzeiten sind Richtwerte.", {"agb-delivery-period"}),
        ("Es gelten die gesetzlichen Gewährleistungsrechte.", set()),
        ("", set()),
    ],
)
def test_void_reasons_of_a_single_clause(clause: str, reasons: set[str]) -> None:
    assert set(void_reasons(clause)) == reasons
    assert reasons <= {check.id for check in VOID_CHECKS} <= {check.id for check in ALL_CHECKS}

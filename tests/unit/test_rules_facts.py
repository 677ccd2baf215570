"""Facts as English and German contracts write them."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from dealguard_analyzer.engines.rules.facts.agreement_date import find_agreement_date
from dealguard_analyzer.engines.rules.facts.dates import find_dates
from dealguard_analyzer.engines.rules.facts.jurisdictions import jurisdictions_in
from dealguard_analyzer.engines.rules.facts.key_dates import (
    find_effective_date,
    find_expiration_date,
)
from dealguard_analyzer.engines.rules.facts.law import find_governing_law, find_venue
from dealguard_analyzer.engines.rules.facts.money import find_money
from dealguard_analyzer.engines.rules.facts.parties import find_parties
from dealguard_analyzer.engines.rules.facts.periods import find_periods
from dealguard_analyzer.engines.rules.facts.prices import find_price_adjustment
from dealguard_analyzer.engines.rules.facts.terms import find_initial_term, find_notice_period, find_renewal
from dealguard_analyzer.engines.rules.facts.titles import find_title
from dealguard_analyzer.engines.rules.text import ContractText
from dealguard_api.report import Fact
from tests.contract_texts import ENGLISH, GERMAN, document_of


def text_of(content: str) -> ContractText:
    return ContractText(document_of(content))


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("June 21, 1999", "1999-06-21"),
        ("June 21st, 1999", "1999-06-21"),
        ("the 1st day of April, 2007", "2007-04-01"),
        ("this 5th day of December, 2007", "2007-12-05"),
        ("this 10t h day of January, 2020", "2020-01-10"),
        ("27 April 2006", "2006-04-27"),
        ("Sept. 29, 2004", "2004-09-29"),
        ("9/29/04", "2004-09-29"),
        ("9/29/1998", "1998-09-29"),
        ("2024-03-01", "2024-03-01"),
        ("the first (1st) day of April, 2007", "2007-04-01"),
        ("this twenty-first day of April, 2007", "2007-04-21"),
        ("the 20 March day of 1998", "1998-03-20"),
        ("as of1 August 2019", "2019-08-01"),
        ("31 December,   ------------   1996", "1996-12-31"),
        ("April __, 2005", "2005-04"),
        ("[  ] day of May, 2010", "2010-05"),
        ("den 12. März 2024", "2024-03-12"),
        ("am 12.03.2024", "2024-03-12"),
        ("am 1.4.24", "2024-04-01"),
        ("13/13/2024", None),
        ("2.2.10 Deliveries", None),
        ("Section 3.4.2 of 2004 rules", None),
        ("may be 2000 units", None),
    ],
)
def test_dates(text: str, iso: str | None) -> None:
    found = list(find_dates(text))
    assert [hit.iso for hit in found] == ([iso] if iso else [])


def test_a_date_knows_its_place() -> None:
    text = "made on June 21, 1999 in Rome"
    (hit,) = find_dates(text)
    assert text[hit.start : hit.end] == "June 21, 1999"


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("thirty (30) days", 30, "day"),
        ("ten business days", 10, "businessDay"),
        ("a 12-month period", 12, "month"),
        ("one (1) year", 1, "year"),
        ("two consecutive quarters", 2, "quarter"),
        ("drei Monaten", 3, "month"),
        ("einer Frist von 4 Wochen", 4, "week"),
        ("zwei volle Jahre", 2, "year"),
        ("zehn Werktage", 10, "businessDay"),
    ],
)
def test_periods(text: str, value: int, unit: str) -> None:
    (hit,) = find_periods(text)
    assert (int(hit.period.value), str(hit.period.unit)) == (value, unit)


def test_a_unit_without_a_number_is_no_period() -> None:
    assert list(find_periods("each calendar year and every month")) == []


def test_a_period_names_its_reference_point() -> None:
    (hit,) = find_periods("mit einer Frist von drei Monaten zum Ende der Laufzeit")
    assert hit.period.reference_point == "zum Ende der Laufzeit"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (
            "mit einer Frist von vier Wochen zum Ende eines Kalendervierteljahres",
            "zum Ende eines Kalendervierteljahres",
        ),
        ("mit einer Frist von drei Monaten zum Monatsende", "zum Monatsende"),
        ("sixty days prior to the end of the then-current term", "prior to the end of the then-current term"),
        ("six (6) months' notice to the end of a calendar quarter", "to the end of a calendar quarter"),
        ("thirty days after receipt of the invoice", None),
    ],
)
def test_reference_points(text: str, reference: str | None) -> None:
    (hit,) = find_periods(text)
    assert hit.period.reference_point == reference


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$12,500.00", "12500.00", "USD"),
        ("US$ 2 million", "2000000", "USD"),
        ("2.480,50 EUR", "2480.50", "EUR"),
        ("EUR 1.000", "1000", "EUR"),
        ("€ 99", "99", "EUR"),
        ("1.000.000 Euro", "1000000", "EUR"),
        ("£3,000", "3000", "GBP"),
        ("CHF 45.5", "45.5", "CHF"),
        ("3 Mio. €", "3000000", "EUR"),
    ],
)
def test_money(text: str, amount: str, currency: str) -> None:
    (hit,) = find_money(text)
    assert (hit.money.amount, hit.money.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("the laws of the State of New York", ["New York"]),
        ("the laws of England and Wales", ["England and Wales"]),
        ("the laws of the Province of Ontario, Canada", ["Ontario, Canada"]),
        ("New Jersey", ["New Jersey"]),  # not Jersey
        ("Recht der Bundesrepublik Deutschland", ["Germany"]),
        ("Es gilt österreichisches Recht", ["Austria"]),
        ("California and Hong\nKong", ["California", "Hong Kong"]),
        ("no place at all", []),
    ],
)
def test_jurisdictions(text: str, names: list[str]) -> None:
    assert jurisdictions_in(text) == names


@pytest.mark.parametrize(
    ("finder", "english", "german"),
    [
        (find_title, "SERVICES AGREEMENT", "Dienstleistungsvertrag"),
        (find_agreement_date, "2024-03-01", None),
        (lambda text: find_effective_date(text, find_agreement_date(text)), "2024-03-01", "2024-04-01"),
        (find_governing_law, "New York", "Germany"),
    ],
)
def test_facts_of_the_sample_texts(
    finder: Callable[[ContractText], Fact[str] | None], english: str | None, german: str | None
) -> None:
    for content, expected in ((ENGLISH, english), (GERMAN, german)):
        fact = finder(text_of(content))
        assert (fact.value if fact else None) == expected
        assert fact is None or fact.citation.verified


@pytest.mark.parametrize(
    ("content", "iso"),
    [
        # of the contract itself, not of another that it names
        (
            "AMENDMENT\nReference is made to that certain Supply Agreement dated May 1, 2001.\n"
            "This Amendment is entered into as of June 3, 2004 by and between the parties.",
            "2004-06-03",
        ),
        # made on one day, effective from another
        (
            "SERVICES AGREEMENT\nThis Agreement is effective as of July 1, 2020 and is made and entered into this 10th"
            " day of January, 2020 by and between Alpha, Inc. and Beta, LLC.",
            "2020-01-10",
        ),
        # agreed is what the last one signed
        ("SERVICES AGREEMENT\nThe parties agree.\nBy: /s/ A\nDate: 3/4/11\nBy: /s/ B\nDate: 3/9/11", "2011-03-09"),
        # without a word beside it
        ("SUPPLY AGREEMENT\n\nMay 5, 2003\n\nSeller sells until December 31, 2009.", "2003-05-05"),
        ("Kaufvertrag vom 12. März 2024\nDer Verkäufer liefert bis zum 1. Mai 2024.", "2024-03-12"),
        # nothing speaks for these
        ("Goods are shipped. " * 40 + "Orders placed after March 1, 2005 are shipped.", None),
        ("No date at all.", None),
    ],
)
def test_the_likeliest_date_is_the_agreements(content: str, iso: str | None) -> None:
    fact = find_agreement_date(text_of(content))
    assert (fact.value if fact else None) == iso
    assert fact is None or fact.citation.verified


def test_the_models_odds_decide_between_dates_in_equal_words() -> None:
    text = text_of("Alpha wrote on May 5, 2003.\n\nBeta wrote on May 6, 2003.")
    assert len(text.sentences) == 2
    for odds, iso in (((3.0, -5.0), "2003-05-05"), ((-5.0, 3.0), "2003-05-06")):
        fact = find_agreement_date(text, odds)
        assert fact is not None and fact.value == iso


def test_parties_and_their_roles() -> None:
    assert [(p.name, p.role) for p in find_parties(text_of(ENGLISH))] == [
        ("Alpha Example LLC", "Provider"),
        ("Beta Example Inc.", "Customer"),
    ]
    assert [(p.name, p.role) for p in find_parties(text_of(GERMAN))] == [
        ("Alpha Beispiel GmbH", "Auftraggeber"),
        ("Beta Beispiel AG", "Auftragnehmer"),
    ]


def test_terms_of_the_sample_texts() -> None:
    for content, months_or_years, notice in (
        (ENGLISH, (3, "year"), (90, "day")),
        (GERMAN, (24, "month"), (3, "month")),
    ):
        text = text_of(content)
        renewal = [s for s in text.sentences if "renew" in s.lower or "verlängert" in s.lower]
        term, period = find_initial_term(text), find_notice_period(text, renewal)
        assert term is not None and period is not None
        assert (int(term.value.value), str(term.value.unit)) == months_or_years
        assert (int(period.value.value), str(period.value.unit)) == notice
        found = find_renewal(text, renewal)
        assert found is not None and found.value.automatic


def test_an_expiration_date_belongs_to_the_term() -> None:
    fact = find_expiration_date(text_of("The term of this Agreement shall continue until December 31, 2030."))
    assert fact is not None and fact.value == "2030-12-31"
    assert find_expiration_date(text_of("The warehouse stays open until December 31, 2030.")) is None


@pytest.mark.parametrize(
    ("text", "kind", "place", "institution"),
    [
        ("The parties submit to the exclusive jurisdiction of the courts of Delaware.", "court", "Delaware", None),
        ("Gerichtsstand ist Berlin.", "court", "Berlin", None),
        (
            "Any dispute shall be finally settled by arbitration under the ICC rules held in Paris, France.",
            "arbitration",
            "Paris, France",
            "ICC",
        ),
    ],
)
def test_venues(text: str, kind: str, place: str, institution: str | None) -> None:
    fact = find_venue(text_of(text))
    assert fact is not None
    assert (fact.value.kind, fact.value.place, fact.value.institution) == (kind, place, institution)


def test_the_law_of_a_licence_is_not_the_law_of_the_contract() -> None:
    text = text_of(
        "Provider is a corporation duly organized and existing under the laws of Nevada.\n"
        "This Agreement shall be construed in accordance with the laws of the State of Ohio, but not Texas law."
    )
    law = find_governing_law(text)
    assert law is not None and law.value == "Ohio"


@pytest.mark.parametrize(
    ("sentence", "automatic"),
    [
        ("This Agreement shall automatically renew for one (1) year terms.", True),
        ("If notice is not given the Agreement shall automatically renew for a year.", True),
        ("It shall renew for a year unless a party gives notice that it will not renew automatically.", True),
        ("This Agreement shall not automatically renew.", False),
        ("This Agreement will not renew automatically.", False),
        ("This Agreement shall not be automatically renewed.", False),
        ("This Agreement will not renew unless the parties agree in writing.", False),
        ("Der Vertrag verlängert sich um ein Jahr, wenn er nicht gekündigt wird.", True),
        ("Der Vertrag verlängert sich nicht automatisch.", False),
        ("Die automatische Verlängerung des Vertrags um ein Jahr findet nicht statt.", False),
    ],
)
def test_a_denied_renewal_is_not_automatic(sentence: str, automatic: bool) -> None:
    text = text_of(sentence)
    renewal = find_renewal(text, text.sentences)
    assert renewal is not None and renewal.value.automatic is automatic


def test_the_notice_is_not_the_renewed_term() -> None:
    text = text_of(
        "It shall renew for successive one (1) year terms unless notice is given sixty (60) days before the end."
    )
    notice = find_notice_period(text, text.sentences)
    assert notice is not None and (notice.value.value, notice.value.unit) == (60, "day")


@pytest.mark.parametrize(
    "sentence",
    [
        "The duties of confidence shall survive the term of this Agreement for a period of five (5) years.",
        "Buyer shall retain records during the term of this Agreement and for a period of three (3) years.",
        "On renewal the term of this Agreement shall continue for two (2) years.",
    ],
)
def test_other_periods_are_not_the_initial_term(sentence: str) -> None:
    assert find_initial_term(text_of(sentence)) is None


@pytest.mark.parametrize(
    "name",
    [
        "Each of Alpha Example LLC",
        "Beispielgasse 3, 79100 Freiburg GmbH",
        "12 Example Street Inc.",
        "SECTION 1. SERVICES AS",
        "SERVICES AGREEMENT Inc.",
    ],
)
def test_addresses_and_phrases_are_no_parties(name: str) -> None:
    text = text_of(f'This Agreement is made by and between {name} ("Seller") and Beta Example Inc. ("Buyer").')
    assert [party.name for party in find_parties(text)] == ["Beta Example Inc."]


@pytest.mark.parametrize("name", ["Alpha Example Co., Ltd.", "Bank of Example, N. A.", "Example Pty Ltd"])
def test_a_legal_form_is_part_of_the_name(name: str) -> None:
    text = text_of(f'This Agreement is made by and between {name} ("Seller") and Beta Example Inc. ("Buyer").')
    assert [party.name for party in find_parties(text)] == [name, "Beta Example Inc."]


def test_natural_persons_are_parties_by_their_names_alone() -> None:
    text = text_of(
        "Mietvertrag\nzwischen\nFrau Dr. Ada von Beispiel, Musterweg 1, 10115 Berlin\n– nachfolgend „Vermieterin“"
        " genannt –\nund\nHerrn Udo Muster, Beispielallee 2, 80331 München\n– nachfolgend „Mieter“ genannt –\n§ 1"
    )
    assert [(party.name, party.role) for party in find_parties(text)] == [
        ("Ada von Beispiel", "Vermieterin"),
        ("Udo Muster", "Mieter"),
    ]


def test_who_represents_a_company_is_no_party() -> None:
    text = text_of(
        "zwischen Alpha gGmbH, vertreten durch die Geschäftsführerin Frau Ada Muster – nachfolgend „Anbieter“ – und"
        " Beta Beispiel AG – nachfolgend „Kunde“ – § 1"
    )
    assert [party.name for party in find_parties(text)] == ["Alpha gGmbH", "Beta Beispiel AG"]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("Mietvertrag über Wohnraum", "Mietvertrag über Wohnraum"),
        ("Vertrag über die Nutzung einer Software als Dienst", "Vertrag über die Nutzung einer Software als Dienst"),
        ("ein vertrag über etwas anderes", None),
    ],
)
def test_german_titles_write_small_words_small(line: str, title: str | None) -> None:
    found = find_title(text_of(f"{line}\n\nText"))
    assert (found.value if found else None) == title


def test_an_index_clause_comes_before_other_words_on_prices() -> None:
    found = find_price_adjustment(
        text_of(
            "The annual fee shall not increase during the initial term of the contract.\nFor each later year the fee"
            " may be adjusted by the change of the Consumer Price Index."
        )
    )
    assert found is not None and "Consumer Price Index" in found.value


@pytest.mark.parametrize(
    "sentence",
    [
        "During the term of this Agreement and for a period of three years after its end Buyer shall not compete.",
        "During the term of this Agreement and for one year thereafter neither party shall hire employees.",
        "Upon the expiration of this Agreement Buyer may sell off its stock for a period of six (6) months.",
        "Nach Beendigung gilt für die Dauer von drei Jahren ein Wettbewerbsverbot.",
    ],
)
def test_what_follows_the_contract_is_not_its_initial_term(sentence: str) -> None:
    assert find_initial_term(text_of(sentence)) is None


def test_notice_in_probation_is_not_the_notice_of_the_contract() -> None:
    text = text_of(
        "Während der Probezeit kann mit einer Frist von zwei Wochen gekündigt werden.\nDanach beträgt die"
        " Kündigungsfrist drei Monate zum Ende eines Kalendervierteljahres; sie gilt für jede Kündigung."
    )
    notice = find_notice_period(text, text.sentences)
    assert notice is not None
    assert (notice.value.value, notice.value.unit) == (3, "month")
    assert notice.value.reference_point == "zum Ende eines Kalendervierteljahres"

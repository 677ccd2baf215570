"""Ten contracts of our own, made into PDFs by five producers: each report says what its expectation says, no more.

Every expectation was read against the contract's text by hand: `findings` must be found, each with its page and words;
every other check must stay silent, those under `balanced` for the reason given there.
"""

from pathlib import Path
from typing import Any

import pytest

from dealguard_analyzer.document import ExtractedDocument
from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.rules.engine import RulesEngine
from dealguard_analyzer.reading.read import read_pdf
from dealguard_api.pod import ExtractSettings
from dealguard_api.report import Fact, Finding, Period, Report
from tests.contract_pdfs import PRODUCERS, Contract, contracts

CONTRACTS = {contract.name: contract for contract in contracts()}
every_contract = pytest.mark.parametrize("name", sorted(CONTRACTS))


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExtractedDocument]:
    """Each contract, made into a PDF and read as any other PDF."""
    folder = tmp_path_factory.mktemp("contracts")
    found = {}
    for contract in CONTRACTS.values():
        path: Path = folder / f"{contract.name}.pdf"
        path.write_bytes(contract.pdf())
        found[contract.name] = read_pdf(path, ExtractSettings())
    return found


@pytest.fixture(scope="module")
def reports(documents: dict[str, ExtractedDocument]) -> dict[str, Report]:
    """The report on each contract."""
    return {
        name: RulesEngine().analyze(EngineRequest(document, document.info.language))
        for name, document in documents.items()
    }


def in_words(period: Period | None) -> str | None:
    return f"{period.value.normalize():f} {period.unit}" if period else None


def value(fact: Fact[Any] | None) -> Any:
    return fact.value if fact else None


def check_of(finding: Finding) -> str:
    """A finding's id without the digest of what it quotes."""
    return finding.id[: -len("-12345678")] if finding.citations else finding.id


def test_there_are_ten_in_both_languages_of_every_producer() -> None:
    languages = [contract.language for contract in CONTRACTS.values()]
    assert (languages.count("de"), languages.count("en")) == (5, 5)
    assert {contract.expected["producer"] for contract in CONTRACTS.values()} == set(PRODUCERS)


@every_contract
def test_pages_and_language(name: str, documents: dict[str, ExtractedDocument]) -> None:
    document = documents[name]
    assert 2 <= len(document.pages) <= 6 and not document.unreadable_pages
    assert document.info.language == CONTRACTS[name].language


@every_contract
def test_the_facts_are_exact(name: str, reports: dict[str, Report]) -> None:
    report, expected = reports[name], CONTRACTS[name].expected
    renewal, notice = value(report.renewal), value(report.notice_period)
    adjustment = value(report.price_adjustment)
    found = {
        "contract_type": value(report.contract_type),
        "parties": [[party.name, party.role] for party in report.parties],
        "agreement_date": value(report.agreement_date),
        "effective_date": value(report.effective_date),
        "expiration_date": value(report.expiration_date),
        "initial_term": in_words(value(report.initial_term)),
        "renewal": {"automatic": renewal.automatic, "period": in_words(renewal.period)} if renewal else None,
        "notice_period": ({"period": in_words(notice), "reference_point": notice.reference_point} if notice else None),
        "prices": [f"{price.value.amount} {price.value.currency}" for price in report.prices],
        "price_adjustment": " ".join(adjustment.split())[:60] if adjustment else None,
        "governing_law": value(report.governing_law),
        "venue": report.venue.value.model_dump(exclude_none=True) if report.venue else None,
    }
    assert found == {key: expected[key] for key in found}


@every_contract
def test_the_findings_are_these_and_no_others(name: str, reports: dict[str, Report]) -> None:
    found = {
        check_of(finding): {
            "assessment": finding.assessment,
            "hurts": finding.perspective,
            "quotes": [
                {"page": citation.page, "begins": " ".join(citation.quote.split())[:70]}
                for citation in finding.citations
            ],
        }
        for finding in reports[name].findings
    }
    assert found == CONTRACTS[name].expected["findings"]


@every_contract
def test_balanced_clauses_and_absent_categories(name: str, reports: dict[str, Report]) -> None:
    expected = CONTRACTS[name].expected
    assert not {check_of(finding) for finding in reports[name].findings} & set(expected["balanced"])
    assert set(expected["absent"]) <= set(reports[name].absent)


@every_contract
def test_every_quote_is_verified(name: str, reports: dict[str, Report]) -> None:
    citations = [citation for finding in reports[name].findings for citation in finding.citations]
    assert citations and all(citation.verified and citation.rectangles for citation in citations)


@pytest.mark.parametrize("producer", sorted(PRODUCERS))
def test_every_producer_is_read_alike(producer: str, reports: dict[str, Report], tmp_path: Path) -> None:
    """The same contract, by whatever program, gives the same findings."""
    contract = CONTRACTS["licence.en"]
    path = tmp_path / "contract.pdf"
    path.write_bytes(made_by(contract, producer))
    document = read_pdf(path, ExtractSettings())
    report = RulesEngine().analyze(EngineRequest(document, document.info.language))
    assert [check_of(finding) for finding in report.findings] == [
        check_of(finding) for finding in reports[contract.name].findings
    ]


def made_by(contract: Contract, producer: str) -> bytes:
    """The contract's PDF by another producer, twice, to see that the bytes are the same."""
    other = Contract(contract.name, contract.language, contract.text, {"producer": producer})
    first, second = other.pdf(), other.pdf()
    assert first == second
    return first

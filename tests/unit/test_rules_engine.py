"""The whole `rules` engine: one document in, one report out, always the same."""

import json
from pathlib import Path

import pytest

from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.categories import CUAD_CATEGORIES, GERMAN_TOPICS
from dealguard_analyzer.engines.rules.engine import RulesEngine
from dealguard_analyzer.reading.read import read_pdf
from dealguard_api.pod import ExtractSettings
from dealguard_api.report import Language, Report, RiskLevel
from tests.contract_texts import ENGLISH, GERMAN, document_of

_SAMPLES = Path(__file__).parents[2] / "samples"


def analyse(*pages: str, language: Language | None = "en", unreadable: tuple[int, ...] = ()) -> Report:
    document = document_of(*pages, language=language, unreadable=unreadable)
    return RulesEngine().analyze(EngineRequest(document, language))


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (GERMAN, "de")])
def test_same_text_same_report(text: str, language: Language) -> None:
    first, second = (json.dumps(analyse(text, language=language).to_wire()) for _ in range(2))
    assert first == second
    assert Report.model_validate_json(first) == analyse(text, language=language)


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (GERMAN, "de")])
def test_every_statement_is_verified_and_stands_in_the_text(text: str, language: Language) -> None:
    report = analyse(text, language=language)
    citations = [c.citation for c in report.clauses] + [c for f in report.findings for c in f.citations]
    assert citations
    assert all(c.verified and text[c.start : c.end] == c.quote for c in citations)


def test_absent_and_undetermined_are_disjoint_and_complete() -> None:
    report = analyse(ENGLISH)
    present = {clause.category for clause in report.clauses}
    assert not present & set(report.absent)
    assert not set(report.not_determined) & (present | set(report.absent))
    assert present | set(report.absent) | set(report.not_determined) == set(CUAD_CATEGORIES)


def test_german_topics_are_looked_for_in_german_contracts_only() -> None:
    german = analyse(GERMAN, language="de")
    assert set(GERMAN_TOPICS) <= {clause.category for clause in german.clauses} | set(german.absent)
    assert not set(GERMAN_TOPICS) & set(analyse(ENGLISH).absent)


def test_a_summary_stands_on_its_own() -> None:
    report = analyse(GERMAN, language="de")
    assert len(report.summary.encode()) <= 800
    for part in ("Dienstleistungsvertrag", "Alpha Beispiel GmbH", "24 Monate", "Deutschland", "Risiko: hoch"):
        assert part in report.summary


def test_a_long_summary_keeps_its_bound() -> None:
    name = "Süddeutsche Übersee-Großhandels- und Vermögensverwaltungsgesellschaft Änderungsschneiderei GmbH & Co. KG"
    report = analyse(
        GERMAN.replace("Alpha Beispiel GmbH", name).replace("Dienstleistungsvertrag", "Ü" * 120 + "vertrag"),
        language="de",
    )
    assert len(report.summary.encode()) <= 800


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Rechnung Nr. 17\nFür die Lieferung von zwölf Äpfeln berechnen wir 12,00 EUR.\nVielen Dank.", "de"),
        ("Recipe for pancakes\nTake two eggs and some milk and stir them well.", "en"),
        ("Μία συμφωνία σε άλλη γλώσσα.", None),
    ],
)
def test_what_is_no_contract_is_said_not_to_be_one(text: str, language: Language | None) -> None:
    report = analyse(text, language=language)
    assert report.findings == [] and report.absent == []
    assert list(report.not_determined) == list(CUAD_CATEGORIES)
    assert report.risk.level == RiskLevel.NONE_FOUND
    words = (
        ("nicht wie ein Vertrag", "keine gibt")
        if language == "de"
        else ("does not look like a contract", "no statement")
    )
    assert all(word in report.summary for word in words)


def test_unreadable_pages_are_named() -> None:
    report = analyse(ENGLISH, "The rest of the agreement.", unreadable=(2,))
    assert [page.page for page in report.unreadable_pages] == [2]
    assert "1 page could not be read and was" in report.summary
    assert report.document.pages == 3


def test_what_unreadable_pages_may_hold_is_not_said_to_be_missing() -> None:
    text = ENGLISH.replace("New York", "it")
    whole, partial = analyse(text), analyse(text, unreadable=(2, 3))
    assert whole.absent and not partial.absent
    assert set(whole.absent) <= set(partial.not_determined)
    missing = [found for found in partial.findings if not found.citations]
    assert missing and all(f.assessment == "check" and "Pages are missing" in f.explanation for f in missing)
    assert "2 pages could not be read" in partial.summary
    assert "1 Seite war nicht lesbar" in analyse("Rechnung Nr. 17", language="de", unreadable=(2,)).summary


@pytest.mark.parametrize(("name", "language"), [("license-agreement.en", "en"), ("saas-vertrag.de", "de")])
def test_what_a_finding_of_a_sample_quotes_is_not_absent(name: str, language: Language) -> None:
    document = read_pdf(_SAMPLES / f"{name}.pdf", ExtractSettings())
    report = RulesEngine().analyze(EngineRequest(document, language))
    quoted = {found.category for found in report.findings if found.citations}
    assert quoted and not quoted & set(report.absent)
    found = {clause.category for clause in report.clauses}
    assert found | set(report.absent) | set(report.not_determined) >= set(CUAD_CATEGORIES)
    assert len(found) + len(report.absent) + len(report.not_determined) == len(
        found | set(report.absent) | set(report.not_determined)
    )
    if language == "de":  # clauses that German contracts word in their own way
        assert not {"Change Of Control", "Audit Rights", "Exclusivity", "License Grant"} & set(report.absent)
        assert "14.03.2025" in report.summary


@pytest.mark.parametrize(("perspective", "used"), [("Provider", True), ("Beta Example", True), ("Landlord", False)])
def test_a_perspective_that_is_no_party_is_said_to_be_none(perspective: str, used: bool) -> None:
    report = RulesEngine().analyze(EngineRequest(document_of(ENGLISH, language="en"), "en", perspective))
    assert report.perspective == (perspective if used else None)
    assert ("was not found among the parties" in report.summary) is not used


def test_the_patterns_follow_the_text_and_the_words_the_request() -> None:
    report = RulesEngine().analyze(EngineRequest(document_of(GERMAN, language="de"), "en"))
    german = analyse(GERMAN, language="de")
    assert [found.id for found in report.findings] == [found.id for found in german.findings]
    assert report.absent == german.absent and "Risk: high" in report.summary


def test_progress_reaches_its_end() -> None:
    seen: list[tuple[int, int]] = []
    document = document_of(ENGLISH)
    RulesEngine().analyze(EngineRequest(document, "en", on_progress=lambda done, total: seen.append((done, total))))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("in no event liable for consequential " * 3_000, id="an anchor over and over"),
        pytest.param("agreement shall terminate hereby party (" * 2_000, id="open brackets"),
        pytest.param("(((" * 30_000 + "agreement", id="brackets alone"),
        pytest.param("1.1.1.1 " * 15_000, id="numbers"),
        pytest.param("a" * 150_000, id="one word"),
        pytest.param("§ " * 30_000, id="paragraph signs"),
        pytest.param("“Alias” (the “B” and ( , – nachfolgend " * 1_500, id="aliases without names"),
        pytest.param("$1,000,000,000 " * 10_000, id="amounts"),
        pytest.param("between by and between dated as of June 1 agreement party shall " * 2_000, id="preambles"),
        pytest.param("made" + " between" * 40 + ". Agreement shall party, after June 5, 2020", id="a long preamble"),
        pytest.param("agreement shall party hereby March 5, 2020 " * 1_000, id="dates"),
        pytest.param("\n".join(["agreement shall party hereby"] * 10_000), id="short lines"),
        pytest.param("haftung ist soweit nicht anders vereinbart " * 3_000, id="a German anchor"),
    ],
)
def test_hostile_text_ends(text: str) -> None:
    for language in ("en", "de"):
        analyse(text, language=language)


@pytest.mark.parametrize(("text", "language"), [(ENGLISH, "en"), (GERMAN, "de"), (GERMAN, None)])
def test_a_category_whose_fact_is_stated_is_a_clause_and_not_absent(text: str, language: Language | None) -> None:
    report = analyse(text, language=language)
    assert report.governing_law is not None
    assert "Governing Law" not in report.absent
    assert "Governing Law" in {clause.category for clause in report.clauses}


def test_a_contract_of_unknown_language_keeps_its_german_topics() -> None:
    # The model speaks of English categories only: of the others it must not say that they are absent.
    report = analyse(GERMAN, language=None)
    assert "placeOfJurisdiction" in {clause.category for clause in report.clauses}

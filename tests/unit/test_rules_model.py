"""The learnt models: their arithmetic, their files, and what they make of sentences."""

from pathlib import Path

import numpy as np
import pytest

from dealguard_analyzer.engines.categories import CUAD_CATEGORIES, GERMAN_TOPICS
from dealguard_analyzer.engines.rules.model import contracts, features, legal_terms, linear, standard_terms
from dealguard_analyzer.engines.rules.text import ContractText
from tests.contract_texts import document_of

_WEIGHTS = Path(linear.__file__).parent / "weights"


@pytest.mark.parametrize("name", ["contracts", "standard_terms"])
def test_a_model_is_plain_data_of_bounded_size(name: str) -> None:
    path = _WEIGHTS / f"{name}.npz"
    with np.load(path, allow_pickle=False) as arrays:
        assert all(array.dtype != object for array in arrays.values())
    assert sum(file.stat().st_size for file in _WEIGHTS.iterdir()) < 5_000_000


def test_the_classes_are_the_categories() -> None:
    assert linear.load("contracts").classes == CUAD_CATEGORIES
    assert linear.load("standard_terms").classes == (*GERMAN_TOPICS, standard_terms.VOID)


def _small_model() -> linear.LinearModel:
    return linear.LinearModel(
        classes=("x", "y"),
        space=linear.FeatureSpace(
            vocabulary={"a": 0, "b": 1, "t": 2},
            idf=np.array([3, 4, 2], np.float32),
            groups=np.array([0, 0, 1], np.uint8),
            lengths=np.array([1, 0.5], np.float32),
        ),
        weights=np.array([[10, 0], [0, 5], [1, 1]], np.int8),
        scales=np.array([0.1, 1], np.float32),
        bias=np.array([-1, 0.5], np.float32),
        parameters={},
    )


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        # (3, 4) has length 5: 0.6 of a and 0.8 of b
        ({"a", "b"}, [0.6 * 1 - 1, 0.8 * 5 + 0.5]),
        # the second group has length one half, whatever its idf
        ({"t"}, [0.5 * 0.1 - 1, 0.5 * 1 + 0.5]),
        ({"unknown"}, [-1, 0.5]),
        (set(), [-1, 0.5]),
    ],
)
def test_a_score_is_the_product_of_scaled_features(known: set[str], expected: list[float]) -> None:
    # An empty set before and after: their rows must not shift the others'.
    scores = _small_model().scores([set(), known, set()])
    assert scores[1].tolist() == pytest.approx(expected)
    assert scores[0].tolist() == scores[2].tolist() == pytest.approx([-1, 0.5])


def test_numbers_are_alike_and_headings_are_marked() -> None:
    found = features.contract_sentence("term of 12 months", "3 term", is_heading=False)
    assert {"term", "of", "0", "of 0", "0 months", "h:term", "h:0"} <= found
    assert found == features.contract_sentence("term of 24 months", "7 term", is_heading=False)


def test_german_words_share_stems_and_parts() -> None:
    left = features.standard_terms_clause("", "Haftungsbeschränkung")
    right = features.standard_terms_clause("", "Gewährleistungsbeschränkungen")
    assert "b^haftu" in left
    assert "b~besch" in left & right


@pytest.mark.parametrize(
    ("text", "topic", "stem"),
    [
        ("Verlängerter Eigentumsvorbehalt", "retentionOfTitle", "eigentumsvorbehalt"),
        ("Unser Rücksendeetikett", "withdrawal", "ruecksend"),  # a part of a compound, its umlaut written out
        ("HÖHERE\nGEWALT", "delivery", "hoehere gewalt"),  # over a line end, in capitals
    ],
)
def test_stems_are_found_inside_of_words(text: str, topic: str, stem: str) -> None:
    assert stem in legal_terms.stems_in(text)[topic]


def test_a_text_without_stems_has_no_topic() -> None:
    assert legal_terms.stems_in("Am Montag schien die Sonne.") == {}


@pytest.mark.parametrize(
    ("text", "objection"),
    [
        ("Der Versand erfolgt auf Gefahr des Käufers.", "goods-risk"),
        ("Für jede Mahnung fällt eine Mahngebühr von 5 EUR an.", "lump-fee"),
        ("Die Aufrechnung ist nur mit rechtskräftig festgestellten Forderungen zulässig.", "set-off"),
        ("Schweigt der Kunde, gilt die Änderung als genehmigt.", "deemed"),
        ("Soweit gesetzlich zulässig, haften wir nicht.", "as-allowed"),
    ],
)
def test_phrases_that_courts_objected_to_are_found(text: str, objection: str) -> None:
    assert objection in legal_terms.objections_in(text)


def test_what_the_law_says_anyway_raises_no_objection() -> None:
    assert legal_terms.objections_in("Es gilt das gesetzliche Widerrufsrecht.") == set()


def test_a_title_and_its_text_are_features_together() -> None:
    found = standard_terms.topic_features("§ 8 Eigentumsvorbehalt", "Die Ware bleibt unser Eigentum.")
    assert {
        "w§ 8 eigentumsvorbehalt",
        "seigentum",
        "sretentionOfTitle:1",
        "xretentionOfTitle:retentionOfTitle",
    } <= found


_CONTRACT = """SERVICES AGREEMENT

1. Term. This Agreement begins on the Effective Date and continues for an initial term of two (2) years.

2. Assignment. Neither party may assign this Agreement without the prior written consent of the other party.

3. Governing Law. This Agreement shall be governed by and construed under the laws of the State of New York.

4. Weather. The weather in the city was pleasant in the spring of that year."""


def test_present_categories_quote_their_sentences_and_others_are_absent() -> None:
    text = ContractText(document_of(_CONTRACT))
    ranked = contracts.rank(contracts.sentence_scores(text.sentences), {})
    quoted = {name: [text.sentences[index].text for index in scores] for name, scores in ranked.items()}
    assert any("laws of the State of New York" in sentence for sentence in quoted["Governing Law"])
    assert any("assign this Agreement" in sentence for sentence in quoted["Anti-Assignment"])
    assert not {"Insurance", "Source Code Escrow", "Non-Compete"} & ranked.keys()


def test_a_pattern_hit_is_evidence() -> None:
    text = ContractText(document_of(_CONTRACT))
    weather = next(sentence.index for sentence in text.sentences if "pleasant" in sentence.text)
    without = contracts.rank(contracts.sentence_scores(text.sentences), {}).get("Governing Law")
    with_hit = contracts.rank(contracts.sentence_scores(text.sentences), {"Governing Law": [weather]})["Governing Law"]
    assert without is not None
    assert with_hit.get(weather, -99) > without.get(weather, -100)


def test_a_contract_without_a_sentence_has_no_category() -> None:
    assert contracts.rank(contracts.sentence_scores(()), {}) == {}


@pytest.mark.parametrize(
    ("title", "text", "topic"),
    [
        ("Widerrufsrecht", "Sie können Ihre Vertragserklärung innerhalb von 14 Tagen widerrufen.", "withdrawal"),
        ("Eigentumsvorbehalt", "Die Ware bleibt bis zur Zahlung unser Eigentum.", "retentionOfTitle"),
        ("Zahlung", "Sie zahlen auf Rechnung oder per Lastschrift.", "payment"),
        ("", "Es gilt das Recht der Bundesrepublik Deutschland unter Ausschluss des UN-Kaufrechts.", "applicableLaw"),
    ],
)
def test_a_clause_of_standard_terms_has_a_topic(title: str, text: str, topic: str) -> None:
    (judgement,) = standard_terms.judge([(title, text, ())])
    assert judgement.topics[0] == topic


def test_a_sentence_without_topic_has_none_in_a_whole_contract() -> None:
    assert standard_terms.sure_topics([("wetter", "am montag schien die sonne über dem park.")]) == [()]


def test_no_stem_is_too_short_to_be_found() -> None:
    for topic, stems in legal_terms.TOPIC_STEMS.items():
        assert all(stem in legal_terms.stems_in(f"x{stem}x")[topic] for stem in stems)

"""Training and measuring: the definitions on own data; the shipped weights against a new training where the data is."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dealguard_analyzer.engines.categories import CUAD_CATEGORIES
from dealguard_analyzer.engines.rules.facts import agreement_date
from dealguard_analyzer.engines.rules.model import linear
from dealguard_analyzer.engines.rules.text import ContractText
from training import agb_de, cuad, evaluate, scores, train

_DATA = Path(__file__).parents[3] / "shared" / "data"
_AGB = _DATA / "agb-de-train" / "clauses.jsonl"
_CUAD = _DATA / "cuad-train" / "contracts.jsonl.gz"

_CONTRACT = {
    "id": "own",
    "split": "dev",
    "pages": [
        "SERVICES AGREEMENT\nThis Services Agreement is entered into as of June 21, 1999 by and between Alpha, Inc. and"
        " Beta, LLC.\n1. Term. This Agreement shall continue for an initial term of two years.\n",
        "2. Governing Law. This Agreement shall be governed by the laws of the State of California.\n"
        "3. Assignment. Neither party may assign this Agreement without the prior written consent of the other"
        " party.\n",
    ],
    "spans": [
        {"category": "Document Name", "text": "SERVICES AGREEMENT", "pages": [1]},
        {"category": "Agreement Date", "text": "June 21, 1999", "pages": [1]},
        {
            "category": "Governing Law",
            "text": "This Agreement shall be governed <omitted> by the laws of the State of California.",
            "pages": [2],
        },
        {"category": "Insurance", "text": "words that stand nowhere", "pages": [2]},
    ],
    "answers": {"Governing Law": "California", "Agreement Date": "6/21/99"},
}
_CLAUSE = {"title": "Zahlung", "text": "Sie zahlen auf Rechnung.", "topics": ["payment"], "void": False, "contract": 1}


@pytest.fixture
def contract(tmp_path: Path) -> cuad.Contract:
    path = tmp_path / "contracts.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(_CONTRACT).encode() + b"\n"))
    return next(cuad.read_contracts(path))


def test_omitted_words_separate_passages(contract: cuad.Contract) -> None:
    texts = [passage.text for passage in contract.passages if passage.category == "Governing Law"]
    assert texts == ["This Agreement shall be governed", "by the laws of the State of California."]


def test_sentences_are_labelled_by_the_passages_they_hold(contract: cuad.Contract) -> None:
    text = ContractText(contract.document)
    labels = cuad.label_sentences(contract, text, CUAD_CATEGORIES)
    law = labels[:, CUAD_CATEGORIES.index("Governing Law")]
    assert [sentence.text for sentence, label in zip(text.sentences, law, strict=True) if label] == [
        "This Agreement shall be governed by the laws of the State of California."
    ]
    assert not labels[:, CUAD_CATEGORIES.index("Insurance")].any()


def test_a_report_is_scored_against_the_marks(contract: cuad.Contract) -> None:
    score = evaluate.score_contract(contract)
    assert score.governing_law is True
    assert score.agreement_date is True
    assert score.page_right["Governing Law"] is True
    assert score.page_right["Document Name"] is True
    marked, covered, quotes, hits = score.passages["Governing Law"]
    assert (marked, covered) == (2, 2)
    assert hits <= quotes
    assert "Insurance" in score.wanted - score.found


@pytest.mark.parametrize(
    ("wanted", "found", "micro", "macro"),
    [
        ([{"a"}, {"b"}], [{"a"}, {"b"}], 1.0, 1.0),
        ([{"a"}, {"b"}], [{"a"}, {"a"}], 0.5, 1 / 3),  # a: 1 right, 1 wrong; b: missed
        ([{"a"}], [{"a", "c"}], 2 / 3, 1.0),  # c is marked nowhere: it counts in micro only
        ([{"a"}], [set()], 0.0, 0.0),
    ],
)
def test_presence(wanted: list[set[str]], found: list[set[str]], micro: float, macro: float) -> None:
    contracts = [
        scores.ContractScore(frozenset(left), frozenset(right), {}, {}, None, None)
        for left, right in zip(wanted, found, strict=True)
    ]
    assert scores.micro_f1(contracts) == pytest.approx(micro)
    assert scores.presence_macro_f1(contracts) == pytest.approx(macro)


def test_coverage_is_of_passages_and_of_quotes() -> None:
    contract = scores.ContractScore(frozenset(), frozenset(), {}, {"a": (4, 2, 1, 1), "b": (0, 0, 3, 0)}, None, None)
    assert scores.coverage_f1([contract], "a") == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert scores.coverage_f1([contract]) == pytest.approx(2 * 0.5 * 0.25 / 0.75)


def test_the_interval_holds_the_value_and_is_the_same_again() -> None:
    groups = [[1.0], [0.0], [1.0], [1.0]]
    first = scores.with_interval(groups, lambda items: sum(items) / len(items))
    assert first == scores.with_interval(groups, lambda items: sum(items) / len(items))
    assert first.low <= first.value <= first.high


@pytest.mark.parametrize(
    ("contracts", "clauses", "out", "says"),
    [
        ("missing.jsonl", "-", "out.json", "there is no file missing.jsonl"),
        ("clauses.jsonl", "-", "out.json", "line 1 of clauses.jsonl is not a labelled contract"),
        ("-", "contracts.jsonl", "out.json", "line 1 of contracts.jsonl is not a labelled clause"),
        ("-", "-", "out.json", "nothing to measure"),
        ("empty.jsonl", "-", "out.json", "empty.jsonl has no contracts"),
        ("-", "empty.jsonl", "out.json", "empty.jsonl has no clauses"),
        ("-", "text.jsonl", "out.json", "line 2 of text.jsonl is no JSON"),
        ("cut.jsonl.gz", "-", "out.json", "cut.jsonl.gz cannot be read after line 0"),
        ("-", "bytes.jsonl", "out.json", "bytes.jsonl cannot be read"),
        ("contracts.jsonl", "-", "nowhere/out.json", "cannot be written to nowhere/out.json"),
    ],
)
def test_wrong_files_are_named(
    contracts: str,
    clauses: str,
    out: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("contracts.jsonl").write_text(json.dumps(_CONTRACT), encoding="utf-8")
    Path("clauses.jsonl").write_text(json.dumps(_CLAUSE), encoding="utf-8")
    Path("empty.jsonl").write_text("\n", encoding="utf-8")
    Path("text.jsonl").write_text(json.dumps(_CLAUSE) + "\nDear Sirs\n", encoding="utf-8")
    Path("bytes.jsonl").write_bytes(b"\xff\xfe")
    Path("cut.jsonl.gz").write_bytes(gzip.compress(json.dumps(_CONTRACT).encode())[:-20])
    assert evaluate.main([contracts, clauses, out]) == 2
    assert says in capsys.readouterr().err
    assert not Path("out.json").exists()


def test_evaluate_writes_every_figure(tmp_path: Path) -> None:
    (tmp_path / "contracts.jsonl").write_text(json.dumps(_CONTRACT), encoding="utf-8")
    (tmp_path / "clauses.jsonl").write_text(json.dumps(_CLAUSE), encoding="utf-8")
    out = tmp_path / "scores.json"
    command = [sys.executable, "-m", "training.evaluate", tmp_path / "contracts.jsonl", tmp_path / "clauses.jsonl", out]
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[2])
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert figures["governing_law_accuracy"] == figures["agreement_date_accuracy"] == 1.0
    assert {
        "presence_micro_f1",
        "presence_macro_f1",
        "coverage_f1",
        "page_accuracy",
        "agb_topic_micro_f1",
        "agb_void_f1",
        "intervals_95",
    } <= figures.keys()


@pytest.mark.skipif(not _AGB.is_file(), reason="the data set AGB-DE is not beside the repository")
def test_training_on_clauses_again_gives_the_shipped_weights() -> None:
    space, fitted = train.fit_clauses(list(agb_de.read_clauses(_AGB)))
    _assert_same_weights("standard_terms", space, fitted, slice(None))


@pytest.mark.skipif(not _CUAD.is_file(), reason="the data set CUAD is not beside the repository")
def test_training_on_contracts_again_gives_the_shipped_weights() -> None:
    # One category tells whether text, features, labels and solver are still those of the weights.
    chosen = CUAD_CATEGORIES.index("Cap On Liability")
    prepared = train.prepare_contracts([c for c in cuad.read_contracts(_CUAD) if c.split == "train"])
    space, fitted = train.fit_sentences(prepared, [chosen])
    _assert_same_weights("contracts", space, fitted, slice(chosen, chosen + 1))


@pytest.mark.parametrize(
    ("answer", "iso"),
    [("6/21/99", "1999-06-21"), ("5/[]/05", "2005-05"), ("5/[]/2005", "2005-05"), ("[]/[]/2000", None), ("", None)],
)
def test_answers_are_dates_or_parts_of_dates(answer: str, iso: str | None) -> None:
    assert cuad.iso_date(answer) == iso


def test_date_weights_put_the_marked_date_first() -> None:
    evidence = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    weights = train.fit_date_weights([(evidence, np.array([False, True, False]))] * 5)
    assert (evidence @ weights).argmax() == 1


def test_every_kind_of_evidence_has_a_weight(contract: cuad.Contract) -> None:
    choice = train.date_choice(contract, ())
    assert choice is not None and choice[1].tolist() == [True]
    assert choice[0].shape == (1, len(agreement_date.EVIDENCE))
    shipped = Path(agreement_date.__file__).with_name(agreement_date.WEIGHTS_FILE)
    assert json.loads(shipped.read_text(encoding="utf-8")).keys() == set(agreement_date.EVIDENCE)


def _assert_same_weights(name: str, space: linear.FeatureSpace, fitted: train.Linear, classes: slice) -> None:
    shipped = linear.load(name)
    scales = shipped.scales[classes]
    weights = np.zeros(fitted.weights.shape)
    assert shipped.space.vocabulary.keys() <= space.vocabulary.keys(), "the features have changed: make train"
    rows = [space.vocabulary[feature] for feature in shipped.space.vocabulary]
    weights[rows] = shipped.weights[:, classes] * scales
    # Eight bits round to half a step; the solver's own tolerance is below another half.
    assert np.abs(weights - fitted.weights).max(axis=0) == pytest.approx(0, abs=float(scales.max())), "make train"
    assert shipped.bias[classes] == pytest.approx(fitted.bias, abs=0.02)

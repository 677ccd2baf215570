"""Measure the offline engine: `python -m training.evaluate CONTRACTS CLAUSES OUT [SPLIT]`.

CONTRACTS and CLAUSES are files in the forms of `cuad` and `agb_de`, or `-` to leave one out. Of a file of contracts
that names splits, SPLIT (default `dev`, if there is any) is measured. Writes the figures to OUT as JSON.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path

from dealguard_analyzer.engines import EngineRequest
from dealguard_analyzer.engines.categories import CUAD_CATEGORIES, GERMAN_TOPICS
from dealguard_analyzer.engines.rules.checks.single_clause import void_reasons
from dealguard_analyzer.engines.rules.engine import RulesEngine
from dealguard_analyzer.engines.rules.facts.jurisdictions import jurisdictions_in
from dealguard_analyzer.engines.rules.model import standard_terms
from dealguard_analyzer.quotes import QuoteIndex
from dealguard_api.report import Clause, Report
from training import agb_de, cuad, scores
from training.json_lines import MalformedError

_JOBS = 2


def score_contract(contract: cuad.Contract) -> scores.ContractScore:
    """Analyse one contract and compare the report with what lawyers marked."""
    report = RulesEngine().analyze(EngineRequest(document=contract.document, language="en"))
    index = QuoteIndex(contract.document)
    clauses = {name: list(group) for name, group in groupby(_by_category(report), key=lambda clause: clause.category)}
    names = sorted({*contract.categories, *clauses})
    return scores.ContractScore(
        wanted=contract.categories,
        found=frozenset(clauses),
        page_right={
            name: _on_marked_page(clauses[name][0], contract, name)
            for name in names
            if name in contract.categories and name in clauses
        },
        passages={name: _passages(clauses.get(name, []), contract, name, index) for name in names},
        governing_law=_law_is_right(report, contract.answers.get("Governing Law", "")),
        agreement_date=_date_is_right(report, contract.answers.get("Agreement Date", "")),
    )


def _by_category(report: Report) -> list[Clause]:
    """CUAD's clauses, by category; within one, in the report's order."""
    return sorted((c for c in report.clauses if c.category in CUAD_CATEGORIES), key=lambda clause: clause.category)


def _on_marked_page(clause: Clause, contract: cuad.Contract, category: str) -> bool:
    marked = {page for p in contract.passages if p.category == category for page in p.pages}
    return bool(marked & {clause.citation.page, clause.citation.end_page})


def _passages(
    clauses: Sequence[Clause], contract: cuad.Contract, category: str, index: QuoteIndex
) -> tuple[int, int, int, int]:
    """(marked passages, of these covered, quotes, of these on a marked passage).

    A passage is covered if a quote shares at least half of the shorter one's characters.
    """
    marked = [index.places(p.text, p.pages) for p in contract.passages if p.category == category]
    marked = [places for places in marked if places]
    quotes = [index.places(clause.citation.quote, {clause.citation.page})[:1] for clause in clauses]
    covered = sum(any(_overlap(places, quote) for quote in quotes) for places in marked)
    hits = sum(any(_overlap(places, quote) for places in marked) for quote in quotes)
    return len(marked), covered, len(quotes), hits


def _overlap(left: Iterable[tuple[int, int]], right: Sequence[tuple[int, int]]) -> bool:
    return any(
        2 * (min(end, other_end) - max(start, other_start)) >= min(end - start, other_end - other_start)
        for start, end in left
        for other_start, other_end in right
    )


def _law_is_right(report: Report, answer: str) -> bool | None:
    """Whether the report names the same jurisdictions; None where the lawyers' answer names none."""
    wanted = set(jurisdictions_in(answer))
    if not wanted:
        return None
    return report.governing_law is not None and wanted == set(report.governing_law.value.split("; "))


def _date_is_right(report: Report, answer: str) -> bool | None:
    """Whether the report has the same day; None where the lawyers' answer is no full date."""
    wanted = cuad.iso_date(answer)
    if wanted is None or len(wanted) < len("YYYY-MM-DD"):
        return None
    return report.agreement_date is not None and report.agreement_date.value == wanted


def score_clauses(clauses: Sequence[agb_de.LabelledClause]) -> list[scores.ClauseScore]:
    """Judge every clause and compare with its labels."""
    with ProcessPoolExecutor(_JOBS) as pool:
        reasons = list(pool.map(void_reasons, (clause.text for clause in clauses), chunksize=50))
    judged = standard_terms.judge(
        [(clause.title, clause.text, doubts) for clause, doubts in zip(clauses, reasons, strict=True)]
    )
    return [
        scores.ClauseScore(clause.contract, clause.topics, frozenset(judgement.topics), clause.void, judgement.void)
        for clause, judgement in zip(clauses, judged, strict=True)
    ]


def evaluate_contracts(path: Path, split: str | None) -> dict[str, object]:
    """The figures on contracts, with a table by category on standard output."""
    contracts = list(cuad.read_contracts(path))
    wanted = split or ("dev" if any(contract.split == "dev" for contract in contracts) else None)
    contracts = [contract for contract in contracts if wanted is None or contract.split == wanted]
    if not contracts:
        raise MalformedError(f"{path.name} has no contracts" + (f" of the split {wanted}" if wanted else ""))
    print(f"evaluate: {len(contracts)} contracts of {path.name}" + (f", split {wanted}" if wanted else ""))
    with ProcessPoolExecutor(_JOBS) as pool:
        scored = list(pool.map(score_contract, contracts, chunksize=2))
    print(f"\n{'category':36} {'marked':>6} {'found':>6} {'right':>6} {'F1':>6} {'coverage':>9}")
    table: dict[str, object] = {}
    for category in CUAD_CATEGORIES:
        counts = scores.presence(scored, category)
        marked, coverage = counts.right + counts.missed, scores.coverage_f1(scored, category)
        found = counts.right + counts.wrong
        print(f"{category:36} {marked:6} {found:6} {counts.right:6} {counts.f1:6.3f} {coverage:9.3f}")
        table[category] = {
            "marked": marked,
            "found": found,
            "right": counts.right,
            "f1": counts.f1,
            "coverage_f1": coverage,
        }
    intervals = {f.name: scores.with_interval([[c] for c in scored], f.of) for f in scores.CONTRACT_FIGURES}
    return {**_figures(intervals), "contracts": len(scored), "by_category": table}


def evaluate_clauses(path: Path) -> dict[str, object]:
    """The figures on clauses of German standard terms, with a table by topic on standard output."""
    clauses = list(agb_de.read_clauses(path))
    if not clauses:
        raise MalformedError(f"{path.name} has no clauses")
    print(f"\nevaluate: {len(clauses)} clauses of {path.name}")
    scored = score_clauses(clauses)
    print(f"\n{'topic':36} {'marked':>6} {'found':>6} {'right':>6} {'F1':>6}")
    table: dict[str, object] = {}
    for topic in GERMAN_TOPICS:
        counts = scores.Counts()
        for clause in scored:
            counts.add(topic in clause.wanted, topic in clause.found)
        marked, found = counts.right + counts.missed, counts.right + counts.wrong
        print(f"{topic:36} {marked:6} {found:6} {counts.right:6} {counts.f1:6.3f}")
        table[topic] = {"marked": marked, "found": found, "right": counts.right, "f1": counts.f1}
    ordered = sorted(scored, key=lambda clause: clause.contract)
    groups = [list(group) for _, group in groupby(ordered, key=lambda clause: clause.contract)]
    intervals = {
        "agb_topic_micro_f1": scores.with_interval(groups, scores.micro_f1),
        "agb_void_f1": scores.with_interval(groups, scores.agb_void_f1),
    }
    return {**_figures(intervals), "clauses": len(scored), "by_topic": table}


def _figures(intervals: dict[str, scores.Interval]) -> dict[str, object]:
    """Each figure under its own name, and all intervals under one; printed as well."""
    print()
    for name, interval in intervals.items():
        print(f"{name:26} {interval.value:.3f}  (95 % interval {interval.low:.3f} to {interval.high:.3f})")
    return {
        **{name: interval.value for name, interval in intervals.items()},
        "intervals_95": {name: [interval.low, interval.high] for name, interval in intervals.items()},
    }


def main(arguments: Sequence[str]) -> int:
    """Measure; 0 if the figures were written."""
    if len(arguments) not in (3, 4):
        print("usage: make evaluate CONTRACTS=contracts.jsonl[.gz] CLAUSES=clauses.jsonl OUT=scores.json [SPLIT=dev]")
        return 2
    contracts, clauses, out, *split = arguments
    if complaint := _complaint(contracts, clauses, Path(out)):
        print(f"evaluate: {complaint}", file=sys.stderr)
        return 2
    figures: dict[str, object] = {}
    try:
        if contracts != "-":
            figures |= evaluate_contracts(Path(contracts), split[0] if split else None)
        if clauses != "-":
            part = evaluate_clauses(Path(clauses))
            intervals = {**_object(figures.get("intervals_95")), **_object(part["intervals_95"])}
            figures |= {**part, "intervals_95": intervals}
    except MalformedError as error:
        print(f"evaluate: {error}. docs/evaluation.md describes the files.", file=sys.stderr)
        return 2
    Path(out).write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nevaluate: figures in {out}\nNext: docs/evaluation.md says what they mean")
    return 0


def _complaint(contracts: str, clauses: str, out: Path) -> str | None:
    """What is wrong with the arguments and can be told before minutes of work."""
    given = [name for name in (contracts, clauses) if name != "-"]
    if not given:
        return "nothing to measure. Give CONTRACTS=FILE, CLAUSES=FILE or both."
    for name in given:
        if not Path(name).is_file():
            return f"there is no file {name}. Give CONTRACTS and CLAUSES; - leaves one out."
    if out.is_dir() or not out.absolute().parent.is_dir():
        return f"the figures cannot be written to {out}. Name a file in a folder that exists with OUT=FILE."
    return None


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

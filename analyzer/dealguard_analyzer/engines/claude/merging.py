"""What the windows of one contract say, as one: nothing twice, and the better of two.

Windows overlap, so the same clause may come from two of them, once perhaps cut short. What is the same is decided by
where it stands, not by its words; within one window nothing is merged, for one passage may be two risks.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from dealguard_analyzer.quotes import normalise
from dealguard_api.report import Citation, Clause, Fact, Finding, Money, Party

ItemT = TypeVar("ItemT")
ValueT = TypeVar("ValueT")


def first(facts: Sequence[Fact[ValueT]]) -> Fact[ValueT] | None:
    """The first fact whose quote was found in the document; without one, the first."""
    return next((fact for fact in facts if fact.citation.verified), facts[0] if facts else None)


def parties(windows: Sequence[Sequence[Party]]) -> list[Party]:
    """Each party once, by its name, with a verified quote and a role if any window has one."""
    by_name: dict[str, Party] = {}
    for party in (party for window in windows for party in window):
        name = normalise(party.name).casefold()
        known = by_name.get(name, party)
        citation = party.citation if party.citation.verified and not known.citation.verified else known.citation
        by_name[name] = known.model_copy(update={"role": known.role or party.role, "citation": citation})
    return list(by_name.values())


def prices(windows: Sequence[Sequence[Fact[Money]]]) -> list[Fact[Money]]:
    """Each price once: the same amount at the same place."""
    return _merged(windows, lambda a, b: a.value == b.value and same_place(a.citation, b.citation), lambda a, _: a)


def clauses(windows: Sequence[Sequence[Clause]]) -> list[Clause]:
    """Each passage of a category once: of two that overlap the longer quote."""
    return _merged(
        windows,
        lambda a, b: a.category == b.category and same_place(a.citation, b.citation),
        lambda a, b: b if len(b.citation.quote) > len(a.citation.quote) else a,
    )


def findings(windows: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Each finding once: of two of a category that quote the same place the graver.

    That something is missing holds for the whole only if every window says so.
    """
    missing = [{finding.category for finding in window if not finding.citations} for window in windows]
    everywhere = set.intersection(*missing) if missing else set()
    kept = [[f for f in window if f.citations or f.category in everywhere] for window in windows]
    return _merged(kept, _same_finding, lambda a, b: b if b.severity.score > a.severity.score else a)


def same_place(a: Citation, b: Citation) -> bool:
    """Whether two passages overlap in the document; two that are not in it are the same if their words are."""
    if a.verified and b.verified:
        return _start(a) < _end(b) and _start(b) < _end(a)
    return a.verified == b.verified and normalise(a.quote) == normalise(b.quote)


def _start(citation: Citation) -> tuple[int, int]:
    return citation.page, citation.start or 0


def _end(citation: Citation) -> tuple[int, int]:
    return citation.end_page or citation.page, citation.end or 0


def _same_finding(a: Finding, b: Finding) -> bool:
    if a.category != b.category:
        return False
    if not a.citations or not b.citations:
        return not a.citations and not b.citations
    return any(same_place(one, other) for one in a.citations for other in b.citations)


def _merged(
    windows: Sequence[Sequence[ItemT]], is_same: Callable[[ItemT, ItemT], bool], better: Callable[[ItemT, ItemT], Any]
) -> list[ItemT]:
    """All items in order; one that is the same as one of an earlier window is merged with it."""
    merged: list[ItemT] = []
    for window in windows:
        earlier = len(merged)
        for item in window:
            match = next((index for index in range(earlier) if is_same(merged[index], item)), None)
            if match is None:
                merged.append(item)
            else:
                merged[match] = better(merged[match], item)
    return merged

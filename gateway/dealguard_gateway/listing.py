"""Lists of contracts: filtered, in order, page by page, from memory.

Cheap with ten thousand contracts in a namespace: an order is sorted once a change, and only what a page shows is made
into JSON.
"""

import base64
import hashlib
import json
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from dealguard_api.report import RiskLevel
from dealguard_gateway.kubernetes.store import AnalysisStore, Entry
from dealguard_gateway.model import ContractStatus
from dealguard_gateway.problems import InvalidProblem
from dealguard_gateway.rows import Row, SortKey

Order = Literal[
    "createdAt", "-createdAt", "finishedAt", "-finishedAt", "fileName", "-fileName",
    "name", "-name", "status", "-status", "riskScore", "-riskScore",
]  # fmt: skip
# Sorted lists that are kept: one for each organization and order that somebody looks at.
_MAX_SORTED = 200


@dataclass(frozen=True)
class Selection:
    """What is asked for.

    Args:
        organization: as the client said it; None: all of theirs.
        statuses: one of these; empty: any.
        risks: one of these; empty: any.
        text: to be found in the file's name, the name or the type; in lower case.
        order: by what.
        limit: contracts on a page.
        after: where the page before ended, as its `next` says.
    """

    organization: str | None = None
    statuses: frozenset[ContractStatus] = frozenset()
    risks: frozenset[RiskLevel] = frozenset()
    text: str = ""
    order: Order = "-createdAt"
    limit: int = 50
    after: str | None = None


@dataclass(frozen=True)
class Page:
    """An answer, ready to be sent."""

    body: bytes
    etag: str


class ContractLists:
    """The lists that clients ask for.

    Args:
        store: what there is.
    """

    def __init__(self, store: AnalysisStore) -> None:
        self._store = store
        self._sorted: OrderedDict[tuple[tuple[str, ...], str], tuple[tuple[int, ...], list[Entry]]] = OrderedDict()

    def page(self, namespaces: Sequence[str], selection: Selection) -> Page:
        """One page of the contracts of these namespaces.

        Raises:
            InvalidProblem: `after` is none of ours, or of another order.
        """
        by = selection.order.removeprefix("-")
        entries = self._in_order(tuple(namespaces), by)
        start = _position(selection)
        matching = [each for each in entries if _matches(each.row, selection)] if _is_filtered(selection) else entries
        chosen = list(_part(matching, by, start, selection))
        shown, has_more = chosen[: selection.limit], len(chosen) > selection.limit
        following = _path_of_next(selection, shown[-1].row.keys[by]) if has_more else None
        tail = json.dumps({"next": following, "total": len(matching)}, separators=(",", ":")).encode()
        body = b'{"items":[' + b",".join(entry.body for entry in shown) + b"]," + tail[1:]
        digest = hashlib.blake2b(tail + "".join(entry.etag for entry in shown).encode(), digest_size=12)
        return Page(body, f'"{digest.hexdigest()}"')

    def _in_order(self, namespaces: tuple[str, ...], by: str) -> list[Entry]:
        key = (namespaces, by)
        versions = tuple(self._store.version_of(namespace) for namespace in namespaces)
        known = self._sorted.get(key)
        if known is not None and known[0] == versions:
            self._sorted.move_to_end(key)
            return known[1]
        entries = [entry for namespace in namespaces for entry in self._store.in_namespace(namespace)]
        entries.sort(key=lambda entry: entry.row.keys[by])
        self._sorted[key] = (versions, entries)
        self._sorted.move_to_end(key)
        if len(self._sorted) > _MAX_SORTED:
            self._sorted.popitem(last=False)
        return entries


def _is_filtered(selection: Selection) -> bool:
    return bool(selection.statuses or selection.risks or selection.text)


def _matches(row: Row, selection: Selection) -> bool:
    return (
        (not selection.statuses or row.status in selection.statuses)
        and (not selection.risks or row.risk in selection.risks)
        and selection.text in row.text
    )


def _part(entries: list[Entry], by: str, start: SortKey | None, selection: Selection) -> Iterator[Entry]:
    """Up to one more than the page holds, from its beginning on."""
    wanted = selection.limit + 1
    if selection.order.startswith("-"):
        end = len(entries) if start is None else bisect_left(entries, start, key=lambda entry: entry.row.keys[by])
        return reversed(entries[max(end - wanted, 0) : end])
    begin = 0 if start is None else bisect_right(entries, start, key=lambda entry: entry.row.keys[by])
    return iter(entries[begin : begin + wanted])


def _position(selection: Selection) -> SortKey | None:
    if selection.after is None:
        return None
    try:
        order, is_there, value, id = json.loads(base64.urlsafe_b64decode(selection.after))  # noqa: A001
    except (ValueError, TypeError):
        order = is_there = value = id = None  # noqa: A001
    is_number = selection.order.removeprefix("-") == "riskScore" and is_there is True
    fits = isinstance(value, int if is_number else str) and not isinstance(value, bool)
    if order != selection.order or not isinstance(is_there, bool) or not fits or not isinstance(id, str):
        raise InvalidProblem(
            "page-unknown",
            "`after` is no page of this list. Take it from `next`, with the same order, or leave it out.",
        )
    return is_there, value, id


def _path_of_next(selection: Selection, key: SortKey) -> str:
    position = base64.urlsafe_b64encode(json.dumps([selection.order, *key], separators=(",", ":")).encode()).decode()
    query = [
        *([("organization", selection.organization)] if selection.organization else []),
        *(("status", status.value) for status in sorted(selection.statuses)),
        *(("risk", risk.value) for risk in sorted(selection.risks)),
        *([("q", selection.text)] if selection.text else []),
        ("order", selection.order),
        ("limit", str(selection.limit)),
        ("after", position),
    ]
    return f"/contracts?{urlencode(query)}"

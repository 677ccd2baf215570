"""What in the object storage nothing needs any more: its resource is gone, or its run has ended.

Only keys of the form that DealGuard writes are judged. Anything else in the bucket is somebody else's.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

_REPORT = re.compile(r"reports/[^/]+/(?P<uid>[^/]+)/(?P<run>[1-9][0-9]{0,8})(?P<is_checkpoint>\.checkpoint)?\.json")
_POINTER = re.compile(r"cache/[^/]+/[0-9a-f]{64}")
_DOCUMENT = re.compile(r"documents/[^/]+/.+", re.DOTALL)


class Sort(StrEnum):
    """The sorts of objects that a sweep removes."""

    REPORT = "reports"
    CHECKPOINT = "checkpoints"
    DOCUMENT = "documents"
    POINTER = "pointers"


@dataclass(frozen=True)
class Living:
    """What the existing analyses need."""

    # By uid: the present run, and whether it has ended.
    runs: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    documents: frozenset[str] = frozenset()
    reports: frozenset[str] = frozenset()  # with those of other uids, whose reports completed them


def sort_of(key: str) -> Sort | None:
    """What kind of object a key belongs to; None: none that is ours to remove."""
    if match := _REPORT.fullmatch(key):
        return Sort.CHECKPOINT if match["is_checkpoint"] else Sort.REPORT
    if _POINTER.fullmatch(key):
        return Sort.POINTER
    return Sort.DOCUMENT if _DOCUMENT.fullmatch(key) else None


def is_orphan(key: str, living: Living) -> bool:
    """Whether no existing analysis needs the object; never so for a pointer, which goes with its report."""
    match sort_of(key):
        case Sort.REPORT | Sort.CHECKPOINT as sort:
            return _is_orphaned_report(key, living, is_checkpoint=sort is Sort.CHECKPOINT)
        case Sort.DOCUMENT:
            return key not in living.documents
        case _:
            return False


def is_dangling(report_key: str | None, present: Collection[str], going: Collection[str]) -> bool:
    """Whether a pointer leads nowhere, or will.

    Args:
        report_key: where it leads; None: it cannot be read.
        present: the keys of the reports that are there, listed after the pointers.
        going: those among them that are about to be removed.
    """
    return report_key is None or report_key not in present or report_key in going


def is_due(orphan_since: datetime, modified_at: datetime, now: datetime, grace: timedelta) -> bool:
    """Whether the grace period is over: since a sweep first saw that nothing needs the object, and since it was put."""
    return max(orphan_since, modified_at) + grace <= now


def _is_orphaned_report(key: str, living: Living, *, is_checkpoint: bool) -> bool:
    match = _REPORT.fullmatch(key)
    assert match is not None
    known = living.runs.get(match["uid"])
    if known is None:
        return key not in living.reports
    present_run, has_ended = known
    run = int(match["run"])
    return is_checkpoint and (run < present_run or (run == present_run and has_ended))

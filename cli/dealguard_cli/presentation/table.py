"""The list of analyses, in kubectl's columns and spacing: cut, awk and eyes already know them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from rich.text import Text

from dealguard_api.resource import Phase
from dealguard_cli.adapters.analyses import Analysis
from dealguard_cli.presentation import words
from dealguard_cli.presentation.terminal import phase_text, risk_text, safe

Cell = Callable[[Analysis, datetime], Text]

_GAP = 3
_NONE = "<none>"  # kubectl's word; an empty cell would shift the columns for awk


def _plain(value: object) -> Text:
    return Text(_NONE if value is None else safe(str(value)))


def _stage(analysis: Analysis, now: datetime) -> Text:
    del now
    return _plain(analysis.status.stage)


def _risk(analysis: Analysis, now: datetime) -> Text:
    del now
    result = analysis.status.result
    return risk_text(result.risk_level) if result else _plain(None)


def _reason(analysis: Analysis, now: datetime) -> Text:
    del now
    failure = analysis.status.failure
    if failure is None:
        return _plain(None)
    return Text(safe(failure.reason), style="red" if analysis.phase is Phase.FAILED else "")


_NAMESPACE: dict[str, Cell] = {"NAMESPACE": lambda analysis, _: _plain(analysis.namespace)}
# The order and the meaning of the CRD's printer columns.
_COLUMNS: dict[str, Cell] = {
    "NAME": lambda analysis, _: Text(analysis.name),
    "PHASE": lambda analysis, _: phase_text(analysis.phase),
    "STAGE": _stage,
    "RISK": _risk,
    "FINDINGS": lambda analysis, _: _plain(r.findings.total if (r := analysis.status.result) else None),
    "AGE": lambda analysis, now: Text(words.age(analysis.created_at, now)),
}
_WIDE_COLUMNS: dict[str, Cell] = {
    "REASON": _reason,
    "ENGINE": lambda analysis, _: _plain(r.engine if (r := analysis.status.result) else None),
    "COST": lambda analysis, _: _plain(u.cost_usd if (u := analysis.status.usage) else None),
    "ATTEMPTS": lambda analysis, _: _plain(analysis.status.attempt_count),
    "SECONDS": lambda analysis, _: _plain(analysis.status.duration_seconds),
}


def render(analyses: Sequence[Analysis], now: datetime, *, wide: bool, with_namespace: bool) -> Text:
    """The table in the given order (the server lists by namespace and name); long lines are the terminal's to wrap."""
    columns = (_NAMESPACE if with_namespace else {}) | _COLUMNS | (_WIDE_COLUMNS if wide else {})
    rows = [[Text(title, style="bold") for title in columns]]
    rows += [[cell(analysis, now) for cell in columns.values()] for analysis in analyses]
    return aligned(rows)


def aligned(rows: Sequence[Sequence[Text]]) -> Text:
    """`rows` in columns that are as wide as their widest cell, without blanks at a line's end."""
    widths = [max(cell.cell_len for cell in column) for column in zip(*rows, strict=True)]
    return Text("\n").join(_line(row, widths) for row in rows)


def _line(row: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, width in zip(row, widths, strict=True):
        line.append_text(cell)
        line.append(" " * (width - cell.cell_len + _GAP))
    line.rstrip()
    return line

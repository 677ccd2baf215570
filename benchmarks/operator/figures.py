"""Small bar charts as SVG: a median with its range for each of those compared, and the aim as a line."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _LABEL_WIDTH, _VALUE_WIDTH = 720, 190, 150
_ROW_HEIGHT, _TOP, _BOTTOM = 30, 46, 34
_COLOURS = {"dealguard": "#1f5fa8", "twin": "#7a9e3b", "textbook": "#c26a2e", "bare": "#8a8a8a"}


@dataclass(frozen=True)
class Bar:
    """One bar: whose it is, the median and the range."""

    contender: str
    label: str
    value: float
    low: float
    high: float


def bar_chart(title: str, unit: str, bars: Sequence[Bar], *, aim: float | None = None) -> str:
    """The chart as an SVG document that reads on light and dark pages.

    Args:
        title: what is measured, and how much of it.
        unit: the unit of all values.
        bars: from top to bottom.
        aim: where the line stands; None: no line.
    """
    height = _TOP + _ROW_HEIGHT * len(bars) + _BOTTOM
    room = _WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    scale = room / (max([bar.high for bar in bars] + [aim or 0.0]) or 1.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="13"><title>{html.escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="26" font-size="15" font-weight="bold">{html.escape(title)}</text>',
    ]
    for row, bar in enumerate(bars):
        parts += _row(bar, unit, _TOP + row * _ROW_HEIGHT, scale)
    if aim is not None:
        x = _LABEL_WIDTH + aim * scale
        bottom = height - _BOTTOM + 4
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="#b00020" stroke-dasharray="4 3"/>'
        )
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle" fill="#b00020">aim {aim:.3g} {unit}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _row(bar: Bar, unit: str, top: int, scale: float) -> list[str]:
    middle = top + _ROW_HEIGHT // 2
    ends = [_LABEL_WIDTH + value * scale for value in (bar.low, bar.value, bar.high)]
    colour = _COLOURS.get(bar.contender, "#555555")
    span = "" if bar.low == bar.high else f" ({bar.low:.3g}–{bar.high:.3g})"
    return [
        f'<text x="{_LABEL_WIDTH - 10}" y="{middle + 4}" text-anchor="end">{html.escape(bar.label)}</text>',
        f'<rect x="{_LABEL_WIDTH}" y="{top + 6}" width="{max(1.0, ends[1] - _LABEL_WIDTH):.1f}" height="18" '
        f'fill="{colour}"/>',
        f'<line x1="{ends[0]:.1f}" y1="{middle}" x2="{ends[2]:.1f}" y2="{middle}" stroke="#000000" stroke-width="2"/>',
        f'<text x="{ends[2] + 8:.1f}" y="{middle + 4}">{bar.value:.3g} {html.escape(unit)}{span}</text>',
    ]

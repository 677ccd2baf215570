"""Columns that a producer wrote row by row, put into reading order: first the left one, then the right one.

pdfium gives the text in the order of the page's content. Most producers write a column as a whole; some write across,
and a sentence of the left column would run on in the right one. Tables are written across as well, and must stay: so a
block of lines is taken for columns only if both sides are running prose of several lines and the text really goes to
and fro between them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from dealguard_analyzer.sandbox.page_objects import Box
from dealguard_analyzer.sandbox.wire import LINE_END_HYPHEN

# Word processors leave 12 to 36 points between columns, TeX 10; justified lines stay below that between words.
_MIN_GUTTER_POINTS = 8.0
_MIN_ROWS = 5  # fewer lines are a letterhead, a signature block, a small table
_MIN_WORDS_A_ROW = 4.0  # the cells of tables hold fewer
# The share of lines that go on with a small letter, or after a hyphen: over half in prose of either language, few in
# the cells of a table.
_MIN_CONTINUED = 0.3
_MAX_DEPTH = 2  # so up to four columns


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a line without a gap that could be a gutter: `text[start:end]` of the page."""

    row: int
    start: int
    end: int
    x0: float
    x1: float


def read_columns(text: str, origins: list[int], words: Sequence[tuple[int, int, Box]]) -> tuple[str, list[int]] | None:
    """The page's text in reading order, with the origins of its characters; None if it is so already.

    Args:
        text: the page's text in the order of its content.
        origins: for each character, where it comes from.
        words: start, end and box of each word.
    """
    pieces = list(_pieces(text, words))
    if _turns(pieces) < _MIN_ROWS:
        return None
    ordered = _ordered(text, pieces, 0)
    return None if ordered == pieces else _joined(text, origins, ordered)


def _pieces(text: str, words: Sequence[tuple[int, int, Box]]) -> Iterator[_Piece]:
    row, first = 0, 0
    for index in range(1, len(words) + 1):
        is_new_row = index < len(words) and _is_new_row(text, words[index - 1], words[index])
        is_apart = index < len(words) and words[index][2].x0 - words[index - 1][2].x1 >= _MIN_GUTTER_POINTS
        if index == len(words) or is_new_row or is_apart:
            boxes = [box for _, _, box in words[first:index]]
            x0, x1 = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
            yield _Piece(row, words[first][0], words[index - 1][1], x0, x1)
            first, row = index, row + is_new_row


def _is_new_row(text: str, word: tuple[int, int, Box], following: tuple[int, int, Box]) -> bool:
    """Whether a line ends between two words; lines that are not quite level may come without a line break."""
    (_, end, box), (start, _, next_box) = word, following
    return "\n" in text[end:start] or text[end - 1] == LINE_END_HYPHEN or next_box.x0 < box.x0


def _gaps(pieces: Sequence[_Piece]) -> Iterator[tuple[float, float]]:
    """From each piece to the next one, where that stands to the right of it."""
    for left, right in pairwise(pieces):
        if right.x0 - left.x1 >= _MIN_GUTTER_POINTS:
            yield left.x1, right.x0


def _turns(pieces: Sequence[_Piece]) -> int:
    return sum(1 for _ in _gaps(pieces))


def _ordered(text: str, pieces: list[_Piece], depth: int) -> list[_Piece]:
    gutter = _gutter(pieces) if depth < _MAX_DEPTH else None
    if gutter is None:
        return pieces
    out: list[_Piece] = []
    for crosses, group in groupby(pieces, key=lambda piece: piece.x0 < gutter < piece.x1):
        block = list(group)
        if not crosses:
            left = [piece for piece in block if piece.x1 <= gutter]
            right = [piece for piece in block if piece.x0 >= gutter]
            if _goes_to_and_fro(block, gutter) and _is_prose(text, left) and _is_prose(text, right):
                block = _ordered(text, left, depth + 1) + _ordered(text, right, depth + 1)
        out.extend(block)
    return out


def _gutter(pieces: Sequence[_Piece]) -> float | None:
    """The place that the most gaps have in common; None if that is only few of them."""
    edges = sorted([(start, 1) for start, _ in _gaps(pieces)] + [(end, -1) for _, end in _gaps(pieces)])
    depth = deepest = 0
    gutter: float | None = None
    for (edge, step), (following, _) in pairwise(edges):
        depth += step
        if depth > deepest:
            deepest, gutter = depth, (edge + following) / 2
    return gutter if deepest >= _MIN_ROWS else None


def _goes_to_and_fro(block: Sequence[_Piece], gutter: float) -> bool:
    return sum(left.x1 <= gutter <= right.x0 for left, right in pairwise(block)) >= _MIN_ROWS


def _is_prose(text: str, column: Sequence[_Piece]) -> bool:
    rows = [" ".join(text[piece.start : piece.end] for piece in row) for _, row in groupby(column, lambda p: p.row)]
    if len(rows) < _MIN_ROWS or sum(len(row.split()) for row in rows) < _MIN_WORDS_A_ROW * len(rows):
        return False
    continued = sum(row[0].islower() or before[-1] in ("-", LINE_END_HYPHEN) for before, row in pairwise(rows))
    return continued >= _MIN_CONTINUED * (len(rows) - 1)


def _joined(text: str, origins: list[int], pieces: Sequence[_Piece]) -> tuple[str, list[int]]:
    out: list[str] = []
    places: list[int] = []
    for index, piece in enumerate(pieces):
        if index:
            before = pieces[index - 1]
            # What stood between the two stays if they are still neighbours: a blank, or an empty line.
            between = (
                text[before.end : piece.start]
                if before.end <= piece.start and not _moved(before, piece, text)
                else "\n"
            )
            if text[before.end - 1] == LINE_END_HYPHEN:
                between = ""
            out.append(between)
            places.extend([origins[before.end - 1]] * len(between))
        out.append(text[piece.start : piece.end])
        places.extend(origins[piece.start : piece.end])
    return "".join(out), places


def _moved(before: _Piece, piece: _Piece, text: str) -> bool:
    """Whether other text stood between the two."""
    return bool(text[before.end : piece.start].strip())

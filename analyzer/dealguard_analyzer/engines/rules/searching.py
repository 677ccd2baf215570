"""Searching a long text for many patterns: each is tried only at the words with which it can begin.

Most patterns begin with `\\b` and one of a few words. The regular expression engine tries them at every character,
since a word boundary gives it nothing to skip to; a contract of a hundred pages has some 300,000 characters, and there
are more than a hundred patterns.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

# Of a word's beginning: three letters tell most words apart.
_KEY_LETTERS = 3
# A set of characters at a pattern's beginning is tried one by one, unless it is large.
_MAX_CHARACTERS, _MAX_BEGINNINGS = 12, 400
_WORD_START = re.compile(r"\b\w")


class SearchableText:
    """A text in lower case, with an index of its words."""

    def __init__(self, text: str) -> None:
        self._text = text
        starts = defaultdict[str, list[int]](list)
        for match in _WORD_START.finditer(text):
            starts[text[match.start() : match.start() + _KEY_LETTERS]].append(match.start())
        self._starts = dict(starts)
        self._keys = sorted(starts)

    def finditer(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """As `pattern.finditer` of the text: the same matches in the same order."""
        beginnings = word_beginnings(pattern)
        if beginnings is None:
            yield from pattern.finditer(self._text)
            return
        end = 0
        for start in self._starts_of(beginnings):
            if start >= end and (match := pattern.match(self._text, start)):
                yield match
                end = match.end()

    def _starts_of(self, beginnings: Iterable[str]) -> list[int]:
        keys = {key for beginning in beginnings for key in self._keys_with(beginning)}
        return sorted(chain.from_iterable(self._starts[key] for key in keys))

    def _keys_with(self, beginning: str) -> Iterator[str]:
        for index in range(bisect_left(self._keys, beginning), len(self._keys)):
            if not self._keys[index].startswith(beginning):
                return
            yield self._keys[index]


@lru_cache(maxsize=1024)
def word_beginnings(pattern: re.Pattern[str]) -> frozenset[str] | None:
    """The up to three characters with which a match can begin, where it can begin at a word's start only.

    None where that is not sure, or too much: a pattern that ignores case, that may begin within a word or with a
    character of a large set.
    """
    if pattern.flags & (re.IGNORECASE | re.VERBOSE):
        return None
    nodes = list(parser.parse(pattern.pattern, pattern.flags))
    if not nodes or nodes[0] != (op.AT, op.AT_BOUNDARY):
        return None
    going, ended = _extend({""}, nodes[1:])
    found = going | ended
    # A boundary before a character that is none of a word's would be a word's end.
    if len(found) > _MAX_BEGINNINGS or not all(re.match(r"\w", beginning) for beginning in found):
        return None
    return frozenset(found)


def _extend(going: set[str], nodes: Iterable[tuple[Any, Any]]) -> tuple[set[str], set[str]]:
    """What matches of `nodes` after `going` begin with: what the next node continues, and what is enough."""
    ended: set[str] = set()
    for code, argument in nodes:
        if not going:
            break
        options, stops = _options(code, argument)
        if options is None:
            return set(), ended | going
        continued = {text + option for text in going for option in options}
        ended |= {text + stop for text in going for stop in stops}
        ended |= {text[:_KEY_LETTERS] for text in continued if len(text) >= _KEY_LETTERS}
        going = {text for text in continued if len(text) < _KEY_LETTERS}
        if len(going) + len(ended) > _MAX_BEGINNINGS:
            return set(), {""}
    return going, {text[:_KEY_LETTERS] for text in ended}


def _options(code: Any, argument: Any) -> tuple[set[str] | None, set[str]]:  # noqa: PLR0911 - one for each kind
    """The beginnings of one node that the next one continues (None: nothing is known of it), and those that end it."""
    if code in (op.AT, op.ASSERT, op.ASSERT_NOT):
        return {""}, set()
    if code is op.LITERAL:
        return {chr(argument)}, set()
    if code is op.IN:
        return _characters(argument), set()
    if code is op.BRANCH:
        branches = [_extend({""}, branch) for branch in argument[1]]
        return set().union(*(going for going, _ in branches)), set().union(*(ended for _, ended in branches))
    if code is op.SUBPATTERN and not argument[1] and not argument[2]:
        return _extend({""}, argument[3])
    if code in (op.MAX_REPEAT, op.MIN_REPEAT):
        least, most, repeated = argument
        going, ended = _extend({""}, repeated)
        if most > 1:  # what follows a repetition may be another one
            going, ended = set(), going | ended
        return (going | {""} if least == 0 else going), ended
    return None, set()


def _characters(items: list[tuple[Any, Any]]) -> set[str] | None:
    found: set[str] = set()
    for code, argument in items:
        if code is op.LITERAL:
            found.add(chr(argument))
        elif code is op.RANGE and argument[1] - argument[0] < _MAX_CHARACTERS:
            found.update(chr(number) for number in range(argument[0], argument[1] + 1))
        else:
            return None
    return found if len(found) <= _MAX_CHARACTERS else None

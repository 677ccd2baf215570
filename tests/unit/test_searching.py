"""Searching by the words with which a pattern can begin finds exactly what a plain search finds."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dealguard_analyzer.engines.rules as rules
from dealguard_analyzer.engines.rules.searching import SearchableText, word_beginnings
from dealguard_analyzer.engines.rules.text import lower_same_length
from tests.contract_texts import ENGLISH, GERMAN


def _patterns(value: Any, depth: int = 0) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4:
        if isinstance(value, dict):
            value = value.values()
        elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            value = [getattr(value, name) for name in value.__dataclass_fields__]
        if isinstance(value, (list, tuple, set, frozenset)) or type(value).__name__ == "dict_values":
            for item in value:
                yield from _patterns(item, depth + 1)


def _all_patterns() -> list[re.Pattern[str]]:
    modules = [
        importlib.import_module(each.name) for each in pkgutil.walk_packages(rules.__path__, rules.__name__ + ".")
    ]
    found = {pattern for module in modules for value in vars(module).values() for pattern in _patterns(value)}
    return sorted((each for each in found if word_beginnings(each) is not None), key=lambda each: each.pattern)


@pytest.mark.parametrize("text", [ENGLISH, GERMAN], ids=["English", "German"])
def test_every_pattern_of_the_engine_finds_the_same(text: str) -> None:
    lower = lower_same_length(text)
    searchable = SearchableText(lower)
    patterns = _all_patterns()
    assert len(patterns) > 300, "most of the engine's patterns begin with words"
    for pattern in patterns:
        plain = [match.span() for match in pattern.finditer(lower)]
        assert [match.span() for match in searchable.finditer(pattern)] == plain, pattern.pattern


@pytest.mark.parametrize(
    ("pattern", "beginnings"),
    [
        (r"\bliable\b", {"lia"}),
        (r"\b(?:haft|schaden)\w*", {"haf", "sch"}),
        (r"\b(?:the )?party", {"the", "par"}),
        (r"\ba(?:b|cd)?e", {"abe", "acd", "ae"}),
        (r"\b[ab]c", {"ac", "bc"}),
        (r"\bno\b(?! more)", {"no"}),
        (r"\b(?:ab)+c", {"ab"}),
        (r"\b(?=x)abc", {"abc"}),
    ],
)
def test_a_pattern_begins_with_its_words(pattern: str, beginnings: set[str]) -> None:
    assert word_beginnings(re.compile(pattern)) == beginnings


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("liable", "it may begin within a word"),
        (r"\bliable|fee", "one of its branches may"),
        (r"\b\w+ shall", "any word will do"),
        (r"\b(?:the )?\w+", "any word will do after all"),
        (r"\b(?:§ ?)?309", "a boundary before § is a word's end"),
        (r"(?i)\bliable", "its letters are those of the text and others"),
        (r"\b[^a]b", "most characters will do"),
        (r"\b", "it needs no word"),
    ],
)
def test_a_pattern_that_may_begin_elsewhere_is_searched_plainly(pattern: str, why: str) -> None:
    assert word_beginnings(re.compile(pattern)) is None, why


@given(
    text=st.text(alphabet="abc §\n_ä1", max_size=60),
    pattern=st.sampled_from(
        [
            r"\bab",
            r"\b(?:a|bc)+",
            r"\ba?b\b",
            r"\b(?:ab|ab c)\b",
            r"\bä.*?b",
            r"\b1(?:a|_)*",
            r"\b(?:a b|b) ?",
            r"\ba(?=b)",
        ]
    ),
)
def test_any_text_is_searched_as_the_standard_library_does(text: str, pattern: str) -> None:
    compiled = re.compile(pattern)
    found = [match.span() for match in SearchableText(text).finditer(compiled)]
    assert found == [match.span() for match in compiled.finditer(text)]

"""Fields of the API server's raw objects: anybody may write a label, a status or a termination message.

What is missing or has another type reads as empty, so that one malformed object stops nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Raw = Mapping[str, Any]


def mapping_in(raw: Raw, key: str) -> Raw:
    """The object under `key`."""
    value = raw.get(key)
    return value if isinstance(value, dict | Mapping) else {}


def mappings_in(raw: Raw, key: str) -> list[Raw]:
    """The objects of the list under `key`."""
    value = raw.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def text_in(raw: Raw, key: str) -> str:
    """The text under `key`."""
    value = raw.get(key)
    return value if isinstance(value, str) else ""

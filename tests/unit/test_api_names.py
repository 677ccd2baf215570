"""Names that other tools rely on."""

import pytest

from dealguard_api import names

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("analysis_name", "run", "expected", "why"),
    [
        ("lease", 1, "lease-0f8fad5b-1", "name, uid prefix, run"),
        ("lease", 12, "lease-0f8fad5b-12", "a later run has a name of its own"),
        ("acme.lease.v2", 1, "acme-lease-v2-0f8fad5b-1", "dots become hyphens: a Pod's host name has none"),
        ("a" * 253, 1, "a" * 46 + "-0f8fad5b-1", "shortened to 57 characters"),
        ("a" * 45 + ".b", 1, "a" * 45 + "-0f8fad5b-1", "no hyphen is left dangling before the suffix"),
    ],
)
def test_job_name(analysis_name: str, run: int, expected: str, why: str) -> None:
    assert names.job_name(analysis_name, UID, run) == expected, why
    assert len(expected) <= names.MAX_JOB_NAME_LENGTH


def test_label_value_keeps_long_names_apart() -> None:
    first, second = names.label_value("a" * 100), names.label_value("a" * 99 + "b")
    assert len(first) == 63
    assert first != second
    assert names.label_value("a" * 63) == "a" * 63


@pytest.mark.parametrize(
    ("key", "why_not"),
    [
        ("documents/acme/lease.pdf", None),
        ("documents/acme/2026/lease.pdf", None),
        ("documents/other/lease.pdf", "must lie under documents/acme/"),
        ("documents/acme", "must lie under documents/acme/"),
        ("documents/acme2/lease.pdf", "must lie under documents/acme/"),
        ("documents/acme/../other/lease.pdf", "'.' or '..' part"),
        ("documents/acme/./lease.pdf", "'.' or '..' part"),
        ("documents/acme//lease.pdf", "empty"),
        ("documents/acme/", "empty"),
        ("/documents/acme/lease.pdf", "empty"),
        ("reports/acme/x.json", "must lie under documents/acme/"),
    ],
)
def test_document_rule(key: str, why_not: str | None) -> None:
    violation = names.document_key_violation(key, "acme")
    if why_not is None:
        assert violation is None
    else:
        assert violation is not None
        assert why_not in violation
        assert "documents/acme/" in violation, "it says what would be right"

"""Values in words: ages, durations, counts."""

from datetime import datetime, timedelta

from dealguard_api.report import FindingCounts, Report
from dealguard_api.view import risk_label

LANGUAGES = {"de": "German", "en": "English"}


def age(since: datetime, now: datetime) -> str:
    """As kubectl writes an age: '45s', '3m', '5h', '12d'."""
    seconds = max(0, int((now - since) / timedelta(seconds=1)))
    if seconds < 120:
        return f"{seconds}s"
    if seconds < 2 * 3600:
        return f"{seconds // 60}m"
    if seconds < 48 * 3600:
        return f"{seconds // 3600}h"
    return f"{seconds // 86400}d"


def duration(seconds: float) -> str:
    """'12 s', '2 min 5 s'."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def count(number: int, noun: str) -> str:
    """'1 page', '2 pages'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def findings(counts: FindingCounts) -> str:
    """'9 (1 critical, 8 high)', without the levels that have none."""
    levels = {"critical": counts.critical, "high": counts.high, "medium": counts.medium, "low": counts.low}
    parts = ", ".join(f"{number} {level}" for level, number in levels.items() if number)
    return f"{counts.total} ({parts})" if parts else str(counts.total)


def risk(report: Report) -> str:
    """'risk high, 9 findings'."""
    return f"risk {risk_label(report, 'en')}, {count(len(report.findings), 'finding')}"


def cost(usd: str | None) -> str:
    """'0.0123 USD', 'nothing', or 'unknown' where the model's price is not known."""
    if usd is None:
        return "unknown: this version has no price for the model"
    return "nothing" if not usd.strip("0.") else f"{usd} USD"

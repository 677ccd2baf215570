"""Amounts of money, with their currency."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from dealguard_api.report import Money

_CURRENCIES = {
    "us$": "USD",
    "usd": "USD",
    "$": "USD",
    "u.s. dollars": "USD",
    "dollars": "USD",
    "eur": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "€": "EUR",
    "£": "GBP",
    "gbp": "GBP",
    "chf": "CHF",
    "sfr.": "CHF",
    "rmb": "CNY",
    "¥": "JPY",
    "cad": "CAD",
    "cad$": "CAD",
    "c$": "CAD",
    "aud": "AUD",
}
_SYMBOL = "|".join(sorted(map(re.escape, _CURRENCIES), key=len, reverse=True))
_NUMBER = r"\d{1,3}(?:[.,' ]\d{3}){0,4}(?:[.,]\d{1,2})?(?![\d])|\d{1,12}(?:[.,]\d{1,2})?(?![\d])"
_SCALE = r"(?:\s(?P<scale{}>million|billion|millionen|mio|mrd|tsd)\b\.?)?"
_MONEY = re.compile(
    rf"(?<!\w)(?P<before>{_SYMBOL})\s?(?P<number_a>{_NUMBER}){_SCALE.format('_a')}"
    rf"|(?<![\w.,])(?P<number_b>{_NUMBER}){_SCALE.format('_b')}\s?(?P<after>€|eur\b|euros?\b|usd\b|chf\b|u\.s\."
    rf" dollars\b|dollars\b)",
    re.IGNORECASE,
)
_FACTORS = {"million": 10**6, "mio": 10**6, "millionen": 10**6, "billion": 10**9, "mrd": 10**9, "tsd": 10**3}


@dataclass(frozen=True, slots=True)
class MoneyHit:
    """An amount at `text[start:end]`."""

    money: Money
    start: int
    end: int


def find_money(text: str) -> Iterator[MoneyHit]:
    """The amounts in `text`, in order."""
    for match in _MONEY.finditer(text):
        groups = match.groupdict()
        number = groups["number_a"] or groups["number_b"]
        scale = (groups["scale_a"] or groups["scale_b"] or "").lower().rstrip(".")
        currency = _CURRENCIES[(groups["before"] or groups["after"]).lower()]
        amount = _amount(number) * _FACTORS.get(scale, 1)
        yield MoneyHit(Money(amount=amount, currency=currency), match.start(), match.end())


def _amount(number: str) -> Decimal:
    """'1,234.50' and '1.234,50' alike: the last mark with one or two digits behind it is the decimal one."""
    decimals = re.search(r"[.,](\d{1,2})$", number)
    whole = number[: decimals.start()] if decimals else number
    digits = re.sub(r"\D", "", whole) or "0"
    return Decimal(digits + ("." + decimals.group(1) if decimals else ""))

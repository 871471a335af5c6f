"""Converts amounts at the fixed rates in rates.json."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

# Plain decimals only: Decimal alone would also take "1e999999", "NaN" and " 1 ".
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)


class BadRequest(ValueError):
    """The amount or a currency cannot be converted; the message is for the user."""


@dataclass(frozen=True)
class Currency:
    rate: Decimal
    """Units of this currency for one of the base currency."""
    symbol: str
    decimals: int

    def format(self, amount: Decimal) -> str:
        rounded = amount.quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_EVEN)
        return f"{self.symbol}{rounded:f}"


class Converter:
    """Immutable."""

    def __init__(self, rates_file: Path) -> None:
        data = json.loads(rates_file.read_text(encoding="utf-8"))
        self._currencies = {
            code: Currency(Decimal(rate), data["symbols"][code], data["decimals"][code])
            for code, rate in data["rates"].items()
        }

    def convert(self, amount: str, from_code: str, to_code: str) -> str:
        """The converted amount as its reader writes it, such as "€1.12"."""
        if not _AMOUNT.fullmatch(amount):
            raise BadRequest("the value must be a number such as 10 or 10.50")
        source, target = self._currency(from_code), self._currency(to_code)
        return target.format(Decimal(amount) / source.rate * target.rate)

    def _currency(self, code: str) -> Currency:
        currency = self._currencies.get(code.upper())
        if currency is None:
            known = ", ".join(self._currencies)
            raise BadRequest(f"the currency is not one of {known}")
        return currency

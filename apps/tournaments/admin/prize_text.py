"""A table of prizes as people write it: a line for each rank or range of ranks.

    1: cash 500
    2-3: cash 100, free 20 x 0.50 EVO_ANDAR_BAHAR_1 48h
    4-10: share 2%

Only the form is read here; what it amounts to is judged by `prizes.read`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

RANKS = re.compile(r"(\d{1,6})(?:\s*[-\u2013]\s*(\d{1,6}))?", re.ASCII)
CASH = re.compile(r"(?:cash\s+)?(\d+(?:\.\d+)?)", re.ASCII | re.IGNORECASE)
SHARE = re.compile(r"share\s+(\d+(?:\.\d+)?)\s*%?", re.ASCII | re.IGNORECASE)
FREE = re.compile(r"free\s+(\d+)\s*x\s*(\d+(?:\.\d+)?)\s+(\S{1,100})\s+(\d+)\s*h", re.ASCII | re.IGNORECASE)
EXAMPLE = "1: cash 500\n2-3: cash 100, free 20 x 0.50 GAME_ID 48h\n4-10: share 2%"


class PrizesField(forms.CharField):
    """Lines of ranks and prizes."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        """Return the rows as `prizes.read` takes them."""
        text = super().clean(value) or ""
        return tuple(_row(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())


def _row(number: int, line: str) -> dict[str, Any]:
    ranks, colon, given = line.partition(":")
    match = RANKS.fullmatch(ranks.strip())
    if match is None or not colon:
        raise forms.ValidationError(f"Line {number}: begin with a rank or a range of ranks, such as 2-3:")
    prizes = [_prize(number, part.strip()) for part in given.split(",") if part.strip()]
    if not prizes:
        raise forms.ValidationError(f"Line {number}: no prize.")
    return {"rankFrom": int(match[1]), "rankTo": int(match[2] or match[1]), "prizes": prizes}


def _prize(number: int, text: str) -> dict[str, Any]:
    if match := CASH.fullmatch(text):
        return {"type": "CASH", "amount": match[1]}
    if match := SHARE.fullmatch(text):
        return {"type": "POOL_SHARE", "percent": match[1]}
    if match := FREE.fullmatch(text):
        return {
            "type": "FREEROUND", "count": int(match[1]), "value": match[2], "gameId": match[3],
            "validHours": int(match[4]),
        }  # fmt: skip
    raise forms.ValidationError(f"Line {number}: “{text}” is none of: cash 100 · share 2% · free 20 x 0.50 GAME_ID 48h")


def written(table: Sequence[Mapping[str, Any]]) -> str:
    """Write a table that is kept as lines."""
    return "\n".join(_line(row) for row in table)


def _line(row: Mapping[str, Any]) -> str:
    ranks = str(row["rankFrom"]) if row["rankFrom"] == row["rankTo"] else f"{row['rankFrom']}-{row['rankTo']}"
    return f"{ranks}: {', '.join(_words(prize) for prize in row['prizes'])}"


def _words(prize: Mapping[str, Any]) -> str:
    if prize["type"] == "CASH":
        return f"cash {prize['amount']}"
    if prize["type"] == "POOL_SHARE":
        return f"share {prize['percent']}%"
    return f"free {prize['count']} x {prize['value']} {prize['gameId']} {prize['validHours']}h"

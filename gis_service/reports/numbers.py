"""Numbers, days and directions as people read them: 1,234.50 in English, 1.234,50 in Vietnamese."""

from __future__ import annotations

from datetime import date, datetime

from gis_service.texts import say

_SWAPPED = str.maketrans({",": ".", ".": ","})


def number(value: float, decimals: int, lang: str) -> str:
    """A number with its thousands marked; what rounds to nothing but isn't is "< 0.01"."""
    smallest = 10.0**-decimals
    if 0 < value < smallest / 2:
        return f"< {number(smallest, decimals, lang)}"
    text = f"{value:,.{decimals}f}"
    return text.translate(_SWAPPED) if lang == "vi" else text


def km2(square_metres: float, lang: str) -> str:
    """Square kilometres to 2 decimals."""
    return number(square_metres / 1e6, 2, lang)


def ha(square_metres: float, lang: str) -> str:
    """Hectares to 1 decimal."""
    return number(square_metres / 1e4, 1, lang)


def km(metres: float, lang: str) -> str:
    """Kilometres to 2 decimals."""
    return number(metres / 1e3, 2, lang)


def percent(share: float, lang: str) -> str:
    """A share of 1 as per cent to 2 decimals."""
    return number(share * 100, 2, lang)


def day(value: date | None, lang: str) -> str:
    """A day: 2025-07-01, or 1/7/2025 in Vietnamese."""
    if value is None:
        return "–"
    return f"{value.day}/{value.month}/{value.year}" if lang == "vi" else value.strftime("%Y-%m-%d")


def moment(value: datetime, lang: str) -> str:
    """A moment to the minute."""
    return f"{day(value, lang)} {value:%H:%M}"


def wind(bearing_deg: float, lang: str) -> str:
    """The nearest of eight directions."""
    return say(f"report.wind.{round(bearing_deg / 45) % 8}", lang)


def degrees(bearing_deg: float) -> str:
    """A bearing in whole degrees, 0 to 359."""
    return f"{round(bearing_deg) % 360}°"

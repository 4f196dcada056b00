"""What a number counts: units by one name each, and plural nouns."""

from __future__ import annotations

import re

__all__ = ["KNOWN_UNIT", "UNIT", "unit_of"]

_UNITS = {
    "%": "% percent percents per_cent",
    "dollar": "$ dollar dollars usd",
    "cent": "¢ cent cents",
    "euro": "€ euro euros eur",
    "pound": "£ pound pounds gbp lb lbs",
    "yen": "¥ yen jpy",
    "degree": "° \\circ degree degrees deg",
    "celsius": "°c degrees_celsius celsius",
    "fahrenheit": "°f degrees_fahrenheit fahrenheit",
    "radian": "radian radians rad",
    "second": "s sec secs second seconds",
    "minute": "min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "yr yrs year years year_old years_old",
    "millimeter": "mm millimeter millimeters millimetre millimetres",
    "centimeter": "cm centimeter centimeters centimetre centimetres",
    "meter": "m meter meters metre metres",
    "kilometer": "km kilometer kilometers kilometre kilometres",
    "inch": "inch inches",
    "foot": "ft foot feet",
    "yard": "yd yard yards",
    "mile": "mile miles",
    "mile per hour": "mph",
    "kilometer per hour": "km/h kmh kph",
    "meter per second": "m/s",
    "milligram": "mg milligram milligrams",
    "gram": "g gram grams",
    "kilogram": "kg kilogram kilograms",
    "milliliter": "ml milliliter milliliters millilitre millilitres",
    "liter": "l liter liters litre litres",
    "point": "point points",
    "unit": "unit units",
}
_NAMES = {spelt.replace("_", " "): name for name, spellings in _UNITS.items() for spelt in spellings.split()}

_NO_NOUNS = frozenset({
    "plus", "minus", "times", "less", "versus", "ones", "tens", "dozens", "hundreds", "thousands", "millions",
    "billions", "trillions", "halves", "thirds", "quarters", "twos", "threes", "fours", "fives", "sixes", "sevens",
    "eights", "nines", "pis", "squares", "cubes", "roots", "factorials",
})  # fmt: skip
"""Words on -s that change a number; so do those on -ths."""

_SQUARES = ("square", "sq", "sq.", "2", "²", "squared")


def _pattern(unit: str) -> str:
    return (
        rf"(?:(?:(?P<of>square|sq\.?|cubic)\s)?(?P<unit>{unit})(?:\^?\{{?(?P<power>[23²³])\}}?|"
        r"\s(?P<powered>squared|cubed))?)?(?:\s(?:per|an?)\s(?P<per>[a-z]{1,20}))?"
    )


_SPELT = "|".join(re.escape(spelt) for spelt in sorted(_NAMES, key=len, reverse=True) if len(spelt) > 1)
# `3m` is a product, `3 m` a length.
_KNOWN = rf"(?:{_SPELT})(?![^\W\d_²³])|[%°$€£¥¢]|(?<=\s)(?-i:[mgshlL])(?![^\W\d_²³])"

KNOWN_UNIT = _pattern(_KNOWN)
"""Pattern of a known unit behind a number, or of none."""

UNIT = _pattern(rf"{_KNOWN}|(?<=\s)[a-z]{{2,20}}s(?![^\W\d_²³])")
"""Pattern of a known unit or a plural noun behind a number, or of none."""


def unit_of(found: re.Match[str], currency: str) -> str | None:
    """The one name of the unit that a match of `UNIT` found; empty for none, None for a word that is no unit.

    Args:
        found: the match.
        currency: the sign before the number; empty for none.
    """
    spelt = (found["unit"] or currency).lower()
    name = _NAMES.get(spelt, spelt)
    if currency and name != _NAMES[currency]:
        return None
    if spelt not in _NAMES and (spelt in _NO_NOUNS or spelt.endswith("ths")):
        return None
    power = (found["of"] or found["power"] or found["powered"] or "").lower()
    if power:
        name = f"{'square' if power in _SQUARES else 'cubic'} {name}"
    return f"{name} per {found['per'].lower()}".strip() if found["per"] else name

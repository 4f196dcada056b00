"""What a number counts: units by one name each, and plural nouns."""

from __future__ import annotations

import re

__all__ = ["KNOWN_UNIT", "MONEY", "UNIT", "unit_of"]

_UNITS = {
    "%": "% percent percents per_cent pct",
    "‰": "‰ per_mille permille",
    "dollar": "$ dollar dollars usd",
    "cent": "¢ cent cents",
    "euro": "€ euro euros eur",
    "pound": "£ pound pounds gbp",
    "yen": "¥ yen jpy 円",
    "yuan": "yuan rmb cny 元",
    "rupee": "₹ rs rs. rupee rupees inr",
    "won": "₩ won krw 원",
    "ruble": "₽ ruble rubles rouble roubles rub",
    "franc": "franc francs chf",
    "bitcoin": "₿ bitcoin bitcoins btc",
    "degree": "° \\circ degree degrees deg",
    "celsius": "°c degrees_celsius celsius",
    "fahrenheit": "°f degrees_fahrenheit fahrenheit",
    "radian": "radian radians rad",
    "nanosecond": "ns nanosecond nanoseconds",
    "microsecond": "μs µs microsecond microseconds",
    "millisecond": "ms millisecond milliseconds",
    "second": "s sec secs second seconds 秒",
    "minute": "min mins minute minutes 分钟 分鐘",
    "hour": "h hr hrs hour hours 小时 小時 時間",
    "day": "day days 天 日",
    "week": "week weeks",
    "month": "month months",
    "year": "yr yrs year years year_old years_old years_of_age 年 岁 歳",
    "nanometer": "nm nanometer nanometers nanometre nanometres",
    "micrometer": "μm µm micrometer micrometers micron microns",
    "millimeter": "mm millimeter millimeters millimetre millimetres",
    "centimeter": "cm centimeter centimeters centimetre centimetres",
    "meter": "m meter meters metre metres 米",
    "kilometer": "km kilometer kilometers kilometre kilometres 公里",
    "inch": 'inch inches " ″',
    "foot": "ft foot feet ' ′",
    "yard": "yd yard yards",
    "mile": "mi mile miles",
    "nautical mile": "nmi nautical_mile nautical_miles",
    "acre": "acre acres",
    "hectare": "ha hectare hectares",
    "mile per hour": "mph mi/h",
    "kilometer per hour": "km/h kmh kph",
    "meter per second": "m/s",
    "meter per second squared": "m/s^2 m/s²",
    "milligram": "mg milligram milligrams",
    "gram": "g gram grams",
    "kilogram": "kg kilogram kilograms 公斤 千克",
    "lb": "lb lbs",
    "ounce": "oz ounce ounces",
    "ton": "ton tons",
    "tonne": "tonne tonnes",
    "milliliter": "ml milliliter milliliters millilitre millilitres",
    "liter": "l liter liters litre litres",
    "gallon": "gal gallon gallons",
    "newton": "N newton newtons",
    "joule": "J joule joules",
    "kilojoule": "kj kilojoule kilojoules",
    "calorie": "cal calorie calories",
    "kilocalorie": "kcal kilocalorie kilocalories",
    "watt": "W watt watts",
    "kilowatt": "kw kilowatt kilowatts",
    "kilowatt hour": "kwh kilowatt-hour kilowatt-hours",
    "volt": "V volt volts",
    "ampere": "A amp amps ampere amperes",
    "ohm": "Ω ohm ohms",
    "kelvin": "K kelvin kelvins",
    "hertz": "hz hertz",
    "kilohertz": "khz kilohertz",
    "megahertz": "mhz megahertz",
    "gigahertz": "ghz gigahertz",
    "pascal": "pa pascal pascals",
    "kilopascal": "kpa kilopascal kilopascals",
    "atmosphere": "atm atmosphere atmospheres",
    "electron volt": "ev electronvolt electronvolts",
    "mole": "mol mole moles",
    "bit": "bit bits",
    "byte": "byte bytes",
    "kilobyte": "kb kilobyte kilobytes",
    "megabyte": "mb megabyte megabytes",
    "gigabyte": "gb gigabyte gigabytes",
    "terabyte": "tb terabyte terabytes",
    "petabyte": "pb petabyte petabytes",
    "kibibyte": "kib kibibyte kibibytes",
    "mebibyte": "mib mebibyte mebibytes",
    "gibibyte": "gib gibibyte gibibytes",
    "kilobit": "Kb Kbit kilobit kilobits",
    "megabit": "Mb Mbit megabit megabits",
    "gigabit": "Gb Gbit gigabit gigabits",
    "terabit": "Tb Tbit terabit terabits",
    "milliwatt": "mW milliwatt milliwatts",
    "megawatt": "MW megawatt megawatts",
    "megapascal": "MPa megapascal megapascals",
    "millipascal": "mPa millipascal millipascals",
    "megabit per second": "mbps",
    "megabyte per second": "MBps MB/s",
    "gigabyte per second": "GBps GB/s",
    "gigabit per second": "gbps",
    "decibel": "db decibel decibels",
    "point": "point points",
    "unit": "unit units",
}
MONEY = frozenset(["dollar", "cent", "euro", "pound", "yen", "yuan", "rupee", "won", "ruble", "franc", "bitcoin"])
"""Names of currencies."""

_NAMES = {spelt.replace("_", " "): name for name, spellings in _UNITS.items() for spelt in spellings.split()}

_PEOPLE = [
    "people",
    "persons",
    "children",
    "men",
    "women",
    "kids",
    "boys",
    "girls",
    "pupils",
    "fish",
    "sheep",
    "mice",
    "geese",
    "teeth",
]
"""Plurals that end on no s, or count people; a number of any of them may leave them out."""

_NO_NOUNS = frozenset({
    "plus", "minus", "times", "less", "versus", "ones", "tens", "dozens", "hundreds", "thousands", "millions", "gross",
    "is", "was", "has", "its", "as", "his", "this", "thus", "does", "vs", "lies", "equals", "makes", "gives", "gets",
    "us", "yes", "always", "unless", "perhaps", "besides", "across", "towards", "afterwards", "sometimes",
    "billions", "trillions", "halves", "thirds", "quarters", "twos", "threes", "fours", "fives", "sixes", "sevens",
    "eights", "nines", "pis", "squares", "cubes", "roots", "factorials",
})  # fmt: skip
"""Words on -s that change a number; so do those on -ths."""

_SQUARES = ("square", "sq", "sq.", "2", "²", "squared")


def _pattern(unit: str) -> str:
    return (
        rf"(?:(?:(?P<of>square|sq\.?|cubic)\s)?(?P<unit>{unit})(?:\^?\{{?(?P<power>[23²³])\}}?|"
        r"\s(?P<powered>squared|cubed))?)?"
        r"(?:(?:\s(?:per|an?)\s|\s?/(?=(?:day|week|month|year|hour|hr|minute|min|second|person)\b))(?P<per>[a-z]{1,20}))?"
    )


_SPELT = "|".join(re.escape(spelt) for spelt in sorted(_NAMES, key=len, reverse=True) if len(spelt) > 1)
_WORDS = rf"(?:{_SPELT})(?![^\W\d_²³])"
# `3m` is a product, `3 m` a length.
_SIGN = r"[%‰°\"″'′$€£¥¢₹₩₽₿Ω元円원秒天日年岁歳米]|(?<=\s)(?-i:[mgshlLNJWVAK])(?![^\W\d_²³])"
_KNOWN = rf"{_WORDS}|{_SIGN}"

KNOWN_UNIT = _pattern(_KNOWN)
"""Pattern of a known unit behind a number, or of none."""

_PLURAL = (
    rf"(?:(?!(?:more|less|fewer|out|of|and|or|to|by)\s)[a-z]{{2,20}}\s)?(?:[a-z]{{2,20}}s|{'|'.join(_PEOPLE)})"
)
_COUNTED = r"[个個只本枚台次位名口人つ개명][\u4e00-\u9fff\uac00-\ud7af]{0,8}"

UNIT = _pattern(rf"{_KNOWN}|(?<=\s){_PLURAL}(?![^\W\d_²³])|{_COUNTED}")
"""Pattern of a known unit or of what is counted, behind a number, or of none."""


def unit_of(found: re.Match[str], currency: str) -> str | None:
    """The one name of the unit that a match of `UNIT` found; empty for none, None for a word that is no unit.

    Args:
        found: the match.
        currency: the sign before the number; empty for none.
    """
    written = found["unit"] or currency
    spelt = written if written in _NAMES else written.lower()
    name = _NAMES.get(spelt, spelt)
    if currency and name != _NAMES[currency]:
        return None
    if spelt not in _NAMES and (not _NO_NOUNS.isdisjoint(spelt.split()) or spelt.endswith("ths")):
        return None
    power = (found["of"] or found["power"] or found["powered"] or "").lower()
    if power:
        name = f"{'square' if power in _SQUARES else 'cubic'} {name}"
    return f"{name} per {found['per'].lower()}".strip() if found["per"] else name

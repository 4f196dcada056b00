"""Numbers in words: English ones, and those that Chinese and Japanese write with characters."""

from __future__ import annotations

from fractions import Fraction

from scaffolding_core.answers.pattern import pattern

__all__ = ["CJK_NUMERAL", "english_number", "with_digits"]

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
_UNITS += "seventeen eighteen nineteen"
_SMALL = {word: value for value, word in enumerate(_UNITS.split())}
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SMALL |= {word: 10 * value for value, word in enumerate(_TENS, 2)}
_GREAT = {"hundred": 2, "thousand": 3, "lakh": 5, "million": 6, "crore": 7, "billion": 9, "trillion": 12}
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
          "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "eighth": 8, "eighths": 8, "tenth": 10,
          "tenths": 10}  # fmt: skip
_LONGEST = 80

_CJK_DIGITS = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_CJK_SMALL = {"十": 10, "百": 100, "千": 1_000, "拾": 10, "佰": 100, "仟": 1_000}
_CJK_GREAT = {"万": 10**4, "萬": 10**4, "만": 10**4, "億": 10**8, "亿": 10**8, "억": 10**8, "兆": 10**12}
_CJK = "".join([*_CJK_DIGITS, *_CJK_SMALL, *_CJK_GREAT])
CJK_NUMERAL = pattern(rf"(?=[\d.]*[{_CJK}])[\d.{_CJK}]{{1,40}}")
"""A number with at least one character of Chinese, Japanese or Korean, digits between them or not."""


def english_number(text: str) -> Fraction | None:
    """The number that a text says in English words, such as `twenty-five`, `two and a half` or `one half`."""
    if len(text) > _LONGEST:
        return None
    words = text.lower().replace("-", " ").split()
    sign = 1
    if words and words[0] in ("minus", "negative"):
        sign, words = -1, words[1:]
    if words[-1:] and words[-1] in _PARTS:
        value = _with_part(words)
    else:
        value = _whole(words)
    return None if value is None else sign * value


def _with_part(words: list[str]) -> Fraction | None:
    part = Fraction(1, _PARTS[words[-1]])
    before = words[:-1]
    if before[-2:] == ["and", "a"] or before[-2:] == ["and", "one"]:
        whole = _whole(before[:-2])
        return None if whole is None else whole + part
    if before in ([], ["a"], ["one"]):
        return part
    count = _whole(before)
    return None if count is None else count * part


def _whole(words: list[str]) -> Fraction | None:
    total = group = 0
    last: str | None = None
    for word in words:
        if word in _SMALL:
            if last in _SMALL and not (_SMALL[last] >= 20 and 0 < _SMALL[word] < 10):
                return None  # `one two` is a list
            group += _SMALL[word]
        elif word == "hundred" and last is not None:
            group = max(group, 1) * 100
        elif word in _GREAT and last is not None:
            total += max(group, 1) * 10 ** _GREAT[word]
            group = 0
        elif word in ("a", "and") and word != last:
            if word == "and" and last not in _GREAT:
                return None
        else:
            return None
        last = word
    return Fraction(total + group) if last in _SMALL or last in _GREAT else None


def with_digits(text: str) -> str:
    """A text with its Chinese, Japanese and Korean numerals in digits; `二〇二四` is read sign by sign."""
    return CJK_NUMERAL.sub(lambda found: _in_digits(found[0]), text)


def _in_digits(numeral: str) -> str:
    if all(sign in _CJK_DIGITS for sign in numeral):
        return "".join(str(_CJK_DIGITS[sign]) for sign in numeral)
    total = group = Fraction(0)
    digits = ""
    for sign in numeral:
        if sign in _CJK_DIGITS or sign not in _CJK:
            digits += str(_CJK_DIGITS.get(sign, sign))
            continue
        try:
            count = Fraction(digits) if digits else None
        except ValueError:
            return numeral
        digits = ""
        if sign in _CJK_SMALL:
            group += (1 if count is None else count) * _CJK_SMALL[sign]
        else:
            group += count or 0
            total += (group or 1) * _CJK_GREAT[sign]
            group = Fraction(0)
    try:
        total += group + (Fraction(digits) if digits else 0)
    except ValueError:
        return numeral
    return str(total.numerator) if total.denominator == 1 else str(float(total))

"""Formulas as they are written: what differs in spelling alone is spelt alike."""

from __future__ import annotations

import re
import unicodedata

from scaffolding_core.answers.pattern import pattern

__all__ = ["FORMULA", "formula_key", "is_formula", "without_delimiters"]

FORMULA = pattern(r"\$\$?([^$]+?)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
"""A formula between its delimiters, somewhere in a text."""

_DELIMITERS = (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"))
_NESTED = pattern(r"\$|\\[()\[\]]")
_LAYOUT = pattern(
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits|nolimits)(?![a-zA-Z])|\\(?:q?quad)(?![a-zA-Z])"
    r"|\\[,;:! ]|~|\$|\\[()\[\]]"
)
_FONTS = pattern(r"\\(?:text|textbf|textrm|mathrm|mathbf|mathit|mathsf|operatorname\*?|mbox)\s?\{([^{}]{0,200})\}")
_FRACTION = pattern(r"\\[dtc]frac(?![a-zA-Z])")
_SHORT_FRACTION = pattern(r"\\frac\s?(\d|\{[^{}]*\}|\\[a-zA-Z]+)\s?(\d|\{[^{}]*\}|\\[a-zA-Z]+|[a-zA-Z])")
_SHORT_ROOT = pattern(r"(\\sqrt)\s?(\d|[a-zA-Z](?![a-zA-Z]))")
_LONE_BRACES = pattern(r"([\^_])\{(-?\w)\}")
_WHOLE_FRACTION = pattern(
    r"([-+]?(?:[a-zA-Z]=)?[-+]?)\\frac\{((?:\d+|[a-zA-Z]|\\[a-zA-Z]+|\\sqrt\{\w+\}|\d+\\[a-zA-Z]+(?:\{\w+\})?))\}"
    r"\{(\d+|[a-zA-Z]|\\pi)\}"
)
# Of a value; another name of an expression in letters may be another thing.
_VARIABLE = pattern(r"[a-zA-Z]=(?=(?:\\[a-zA-Z]+|[^a-zA-Z=<>,;\\])+$)")
_WORD = pattern(r"\\?[^\W\d_]+")
_FUNCTIONS = frozenset([
    "sin", "cos", "tan", "cot", "sec", "csc", "log", "exp", "sqrt", "mod", "gcd", "lcm", "max", "min", "lim",
    "det", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "abs", "floor", "ceil", "dx", "dy", "dt", "pi",
    "inf"
])  # fmt: skip
_SHORT_WORDS = frozenset([
    "as", "is", "or", "of", "in", "if", "to", "so", "we", "it", "by", "no", "an", "at", "be", "on", "am", "he",
    "my", "us", "up", "do", "go"
])  # fmt: skip
_OPERATOR = pattern(
    r"\\[a-zA-Z]{2,}|[\^=<>≤≥≠√±∪∩∈∞π²³]|[\w)}\]]\s?[-+*/×÷·−]\s?[\w(\\{√]|[(\[][^()\[\]]*,[^()\[\]]*[)\]]|\d!|_\{?\d|-[a-z]\b|\|[^|]+\|"
)
_SPELLINGS = {
    "π": r"\pi ", "∞": r"\infty ", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "*": r"\cdot ",
    "−": "-", "–": "-", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ",
    "∈": r"\in ", "±": r"\pm ", "°": r"^\circ ", "÷": "/", "′": "'", "α": r"\alpha ", "β": r"\beta ",
    "θ": r"\theta ", "λ": r"\lambda ", "ℝ": r"\mathbb{R}", "…": r"\ldots ", "，": ",", "（": "(", "）": ")",
}  # fmt: skip
_SIGNS = str.maketrans(_SPELLINGS)
_COMMANDS = {r"\leq": r"\le", r"\geq": r"\ge", r"\neq": r"\ne", r"\div": "/",
             r"\dots": r"\ldots", r"\cdots": r"\ldots", r"\lvert": "|", r"\rvert": "|", r"\mid": "|",
             r"\to": r"\rightarrow", r"\arcsin": r"\arcsin", r"\varnothing": r"\emptyset"}  # fmt: skip
_COMMAND = pattern(r"\\[a-zA-Z]+")
_SUPERSCRIPT = pattern("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_ROOT_SIGN = pattern(r"√\s?(?:\(([^()]*)\)|\{([^{}]*)\}|(\d+|[a-zA-Z]))")
_LONGEST = 400


def without_delimiters(text: str) -> str:
    """A text that is one formula between `$`, `$$`, `\\(` or `\\[`, without them; any other as it is."""
    inside = text[:-1] if text[-1:] in (".", ",") else text
    for opening, closing in _DELIMITERS:
        if inside.startswith(opening) and inside.endswith(closing) and len(inside) >= len(opening) + len(closing):
            content = inside[len(opening) : -len(closing)].strip()
            return text if _NESTED.search(content) else content
    return text


def is_formula(text: str) -> bool:
    """Whether a text is a formula and nothing else: it has an operator or a command, and no words."""
    if len(text) > _LONGEST or not _OPERATOR.search(text):
        return False
    bare = _FONTS.sub(" ", text)
    return not any(
        word[0] != "\\" and (len(word) > 2 or word in _SHORT_WORDS) and word.lower() not in _FUNCTIONS
        for word in _WORD.findall(bare)
    )


def formula_key(text: str) -> str:
    """The formula with layout, fonts and white space left out and one spelling for each sign; case counts.

    `\\dfrac\\pi2`, `\\frac{\\pi}{2}` and `π/2` are one, `x^{2}+1` and `x² + 1`. Nothing is calculated.
    """
    bare = _SUPERSCRIPT.sub(
        lambda found: "^{" + unicodedata.normalize("NFKC", found[0]).replace("−", "-") + "}", text
    )
    bare = _ROOT_SIGN.sub(lambda found: rf"\sqrt{{{found[1] or found[2] or found[3]}}}", bare)
    bare = _FONTS.sub(r"\1", _LAYOUT.sub("", bare.translate(_SIGNS)))
    bare = _FRACTION.sub(r"\\frac", bare).replace("**", "^")
    bare = _SHORT_ROOT.sub(r"\1{\2}", _SHORT_FRACTION.sub(_braced, bare))
    bare = _COMMAND.sub(lambda found: _COMMANDS.get(found[0], found[0]), bare)
    bare = _LONE_BRACES.sub(r"\1\2", "".join(bare.split())).rstrip(".,;")
    bare = _VARIABLE.sub("", bare, count=1) if _VARIABLE.match(bare) else bare
    if fraction := _WHOLE_FRACTION.fullmatch(bare):
        return f"{fraction[1]}{fraction[2]}/{fraction[3]}"
    return bare


def _braced(found: re.Match[str]) -> str:
    over, under = (part if part.startswith("{") else f"{{{part}}}" for part in found.groups())
    return rf"\frac{over}{under}"

"""Tokens: the words of a formula, in LaTeX or as it is typed."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

from scaffolding_core.answers.formulas.functions import TYPED
from scaffolding_core.answers.formulas.tree import Unreadable

__all__ = ["Token", "tokens_of"]

_SIGNS = {
    "−": "-", "–": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∗": "*", "÷": "/", "√": r"\sqrt ",
    "π": r"\pi ", "∞": r"\infty ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∈": r"\in ", "∪": r"\cup ",
    "∩": r"\cap ", "±": r"\pm ", "∓": r"\mp ", "°": r"^\circ ", "∅": r"\emptyset ", "′": "'", "α": r"\alpha ",
    "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\epsilon ", "θ": r"\theta ", "λ": r"\lambda ",
    "μ": r"\mu ", "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\phi ", "ω": r"\omega ",
}  # fmt: skip
_TYPED = str.maketrans(_SIGNS)
_ROOT = re.compile(r"√\s?(\d+(?:\.\d+)?)")
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_SPACING = re.compile(
    r"(?<!\\)\\(?:(?:left|right|[bB]ig{1,2}[lrm]?|displaystyle|textstyle|limits|quad|qquad)(?![a-zA-Z])|[,;:\s])|~"
)
_SAME = re.compile(r"\\(?:d|t|c)(?=(?:frac|binom)(?![a-zA-Z]))")
_JOINED = re.compile(r"\\(?:text|textrm|mathrm|mbox)\s?\{\s*,?\s*(or|and)\s*\}")
_UPRIGHT = re.compile(r"\\(?:mathrm|operatorname|text|textrm)\*?\s?\{\s*([a-zA-Z]{1,2}|[a-z]{3,6})\s*\}")
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<repeating>\d*\.\d*\\overline\s?\{\d+\})"
    r"|(?P<number>\d{1,3}(?:\{,\}\d{3})+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?!\d|,\S)(?:\.\d+)?|\d+\.\d+|\.\d+|\d+)"
    r"|(?P<begin>\\begin\{(?:p|b|B|small)?matrix\}|\\begin\{array\}\{[clr|\s]*\})"
    r"|(?P<end>\\end\{(?:p|b|B|small)?matrix\}|\\end\{array\})"
    r"|(?P<decorated>\\(?:mathbf|mathbb|mathcal|boldsymbol|vec|hat|bar|tilde|overline|overrightarrow)\s?"
    r"(?:\{\\?[a-zA-Z]+\}|[a-zA-Z](?![a-zA-Z])))"
    r"|(?P<command>\\[a-zA-Z]+)"
    r"|(?P<sign>\\\\|\\[{}|]|<=|>=|!=|==|[-+*/^_=<>!|()\[\]{},;&'])"
    r"|(?P<word>[a-zA-Z]+)"
    r")"
)
_OPENS, _CLOSES = frozenset({"(", "[", r"\{"}), frozenset({")", "]", r"\}"})


class Token(NamedTuple):
    """A word of a formula.

    Attributes:
        kind: `number`, `symbol`, `command` (a name without its backslash), `sign`, `begin`, `end`, or `over`.
        text: as it is written.
        value: of a number.
        spaced: whether white space is in front of it.
    """

    kind: str
    text: str
    value: Fraction | None = None
    spaced: bool = False


OVER = Token("over", "")
"""Behind the last token."""


def tokens_of(text: str) -> list[Token]:
    """The tokens of a formula, the last of them `OVER`.

    Raises:
        Unreadable: something in it is no word of a formula.
    """
    text = _cleaned(text)
    tokens: list[Token] = []
    place = depth = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None:
            raise Unreadable(text[place:])
        kind, word = str(found.lastgroup), found[str(found.lastgroup)]
        spaced = found.start(kind) > place
        place = found.end()
        if kind == "number" and depth and "," in word and "{" not in word:
            word = word.partition(",")[0]  # in brackets a comma tells elements apart
            place = found.start(kind) + len(word)
        depth += (word in _OPENS) - (word in _CLOSES)
        tokens += _tokens(kind, word, spaced)
    return [*tokens, OVER]


def _cleaned(text: str) -> str:
    text = _SUPERSCRIPT.sub(
        lambda found: "^{" + unicodedata.normalize("NFKC", found[0]).replace("−", "-") + "}", text
    )
    text = _JOINED.sub(
        r" \1 ", _ROOT.sub(r"\\sqrt{\1}", text).replace(r"\!", "").replace(r"\vert", "|").translate(_TYPED)
    )
    return _SPACING.sub(" ", _SAME.sub(r"\\", _UPRIGHT.sub(_upright, text)))


def _upright(found: re.Match[str]) -> str:
    """A function, or letters, without the command that sets them upright; words keep it, and are not known."""
    name = found[1]
    if name in TYPED:
        return f"\\{name} "
    return f" {name} " if len(name) <= 2 else found[0]


def _tokens(kind: str, word: str, spaced: bool) -> list[Token]:
    match kind:
        case "number":
            digits = word.replace("{,}", "").replace(",", "")
            if len(digits) > 1 and digits[0] == "0" and digits[1] != ".":
                raise Unreadable(word)  # a code, such as 007
            return [Token(kind, digits, Fraction(digits), spaced)]
        case "repeating":
            return [Token("number", "", _repeating(word), spaced)]
        case "decorated":
            return [Token("symbol", re.sub(r"[\s{}]", "", word), None, spaced)]
        case "command":
            return [Token(kind, word[1:], None, spaced)]
        case "word":
            return _letters(word, spaced)
    return [Token(kind, word, None, spaced)]


def _repeating(word: str) -> Fraction:
    whole, _, rest = word.partition(".")
    once, _, again = rest.partition("\\")
    again = re.sub(r"\D", "", again)
    repeated = Fraction(int(again), (10 ** len(again) - 1) * 10 ** len(once))
    return Fraction(f"{whole or 0}.{once or 0}") + repeated


def _letters(word: str, spaced: bool) -> list[Token]:
    if word in TYPED or word in ("or", "and", "pi"):
        return [Token("command", word, None, spaced)]
    return [Token("symbol", letter, None, spaced and not place) for place, letter in enumerate(word)]

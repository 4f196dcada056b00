"""Expressions: from tokens to the tree of one value."""

from __future__ import annotations

from fractions import Fraction

from scaffolding_core.answers.formulas.tokens import Token
from scaffolding_core.answers.formulas.tree import INFINITY, Apply, Number, Symbol, Tree, Unreadable, symbols_of

__all__ = ["Expressions"]

DEEPEST = 60
"""Levels of nesting."""

_ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "lg": "log"}
# They may stand before their argument without brackets.
_LONE = frozenset({
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "ln", "log",
    "exp",
})  # fmt: skip
_LISTED = frozenset({"max", "min", "gcd", "lcm"})
_INVERSES = {"sin": "arcsin", "cos": "arccos", "tan": "arctan"}
_GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota",
    "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Sigma", "Phi", "Psi", "Omega", "ell", "hbar",
})  # fmt: skip
_FENCES = {"lfloor": "rfloor", "lceil": "rceil", "lvert": "rvert", "vert": "vert"}
_FENCED = {"lfloor": "floor", "lceil": "ceil", "lvert": "abs", "vert": "abs"}
_COMMANDS = frozenset({
    *_LONE, *_LISTED, *_GREEK, *_ALIASES, *_FENCES, "frac", "sqrt", "binom", "pi", "infty", "abs",
})  # fmt: skip
# `f(x)` is a value of f, `x(x+1)` a product; read as a value of an unknown function it is equal to less.
_CALLED = frozenset("fghFGHPQ")
_VECTORS = ("\\mathbf", "\\boldsymbol", "\\vec", "\\overrightarrow")


class Expressions:
    """Reads sums, products and what they are made of, from a place in the tokens on.

    Attributes:
        plus_minus: 1 or -1, what `\\pm` stands for.
        both: whether a `\\pm` was met.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.plus_minus = 1
        self.both = False
        self._depth = 0
        self._bars = 0
        self._bare = -1  # behind the last argument of a function that stands without brackets

    @property
    def next(self) -> Token:
        """The token that is read next."""
        return self.tokens[self.place]

    def at(self, *texts: str) -> bool:
        """Whether the next token is a sign or command of these."""
        return self.next.kind in ("sign", "command") and self.next.text in texts

    def take(self, *texts: str) -> bool:
        """Whether the next token is of these; then it is passed over."""
        if not self.at(*texts):
            return False
        self.place += 1
        return True

    def need(self, text: str) -> None:
        """Pass over a token that must be there.

        Raises:
            Unreadable: another is there.
        """
        if not self.take(text):
            raise Unreadable(self.next.text)

    def sum(self) -> Tree:
        """Terms with signs between them."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable("too deep")
        terms = [self._signed()]
        while self.at("+", "-", "pm", "mp"):
            terms.append(self._signed())
        self._depth -= 1
        return terms[0] if len(terms) == 1 else Apply("+", tuple(terms))

    def product(self) -> Tree:
        """Factors, with or without a sign between them."""
        tree = self._power()
        sloped = False  # the last factor is behind a slash
        while True:
            if self.take("*", "cdot", "times"):
                tree, sloped = _times(tree, self._factor()), False
            elif self.at("/", "div"):
                if self._bare == self.place:
                    raise Unreadable("sin x / 2")  # nobody knows what is divided; below neither
                self.place += 1
                tree, sloped = Apply("/", (tree, self._factor())), True
            elif self._at_factor():
                if sloped:
                    raise Unreadable("1/2x")
                tree = self._beside(tree)
            else:
                return tree

    def _signed(self) -> Tree:
        negative = False
        while self.at("+", "-", "pm", "mp"):
            sign = {"+": 1, "-": -1, "pm": self.plus_minus, "mp": -self.plus_minus}[self.next.text]
            self.both = self.both or self.at("pm", "mp")
            negative ^= sign < 0
            self.place += 1
        return _negative(self.product()) if negative else self.product()

    def _factor(self) -> Tree:
        """A factor behind a sign, which may have one of its own."""
        return _negative(self._power()) if self.take("-") else self._power()

    def _beside(self, tree: Tree) -> Tree:
        """A product whose factors stand side by side."""
        before = self.tokens[self.place - 1]
        if self.next.kind == "number" and before.text not in ("!", ")"):
            raise Unreadable("2 3")
        mixed = before.kind == "number" and self.at("frac")
        factor = self._power()
        if mixed and isinstance(factor, Apply) and all(isinstance(part, Number) for part in factor.of):
            return _mixed(tree, factor)
        return _times(tree, factor)

    def _at_factor(self) -> bool:
        token = self.next
        if token.kind in ("number", "symbol"):
            return True
        if token.kind == "sign":
            return token.text in ("(", "[", "{") or (token.text == "|" and not self._bars)
        return token.kind == "command" and token.text in _COMMANDS

    def _power(self) -> Tree:
        """A base with what is behind it: powers, factorials, degrees."""
        tree = self._base()
        while True:
            if self.take("!"):
                if self.at("!"):
                    raise Unreadable("n!!")
                tree = Apply("factorial", (tree,))
            elif self.take("^"):
                if self._degrees():
                    tree = Apply("degrees", (tree,))
                else:
                    tree = Apply("^", (tree, self._argument(whole_number=True)))
                if self.at("^"):
                    raise Unreadable("2^3^4")
            else:
                return tree

    def _degrees(self) -> bool:
        place = self.place
        braced = self.take("{")
        if self.take("circ") and (not braced or self.take("}")):
            return True
        self.place = place
        return False

    def _base(self) -> Tree:
        token = self.next
        self.place += 1
        if token.kind == "number":
            assert token.value is not None
            return self._in_base(token) if self.at("_") else Number(token.value)
        if token.kind == "symbol":
            return self._symbol(token.text)
        if token.kind == "sign":
            return self._bracketed(token.text)
        if token.kind != "command":
            raise Unreadable(token.text)
        name = _ALIASES.get(token.text, token.text)
        if name in _FENCES:
            return self._fenced(name)
        if name in _LONE:
            return self._function(name)
        return self._command(name)

    def _command(self, name: str) -> Tree:
        if name in _GREEK:
            return self._symbol("\\" + name)
        if name in _LISTED:
            return Apply(name, self._listed())
        match name:
            case "pi":
                return Symbol("pi")
            case "infty":
                return INFINITY
            case "frac" | "binom":
                over, under = self._argument(), self._argument()
                return Apply("/" if name == "frac" else "binom", (over, under))
            case "sqrt":
                return self._root()
            case "abs":
                self.need("(")
                return Apply("abs", (self._until(")"),))
        raise Unreadable(name)

    def _symbol(self, name: str) -> Tree:
        if self.take("_"):
            name += "_" + self._subscript()
        while self.take("'"):
            name += "'"
        if (name.rstrip("'") in _CALLED or "_" in name) and self.at("(") and not self.next.spaced:
            return Apply(f"of {name}", self._listed())
        return Symbol(name)

    def _subscript(self) -> str:
        if not self.take("{"):
            token = self.next
            self.place += 1
            if token.kind not in ("number", "symbol"):
                raise Unreadable(token.text)
            return token.text
        parts = []
        while not self.take("}"):
            if self.next.kind not in ("number", "symbol") and not self.at(",", "+", "-"):
                raise Unreadable(self.next.text)
            parts.append(self.next.text)
            self.place += 1
        return "".join(parts)

    def _in_base(self, token: Token) -> Tree:
        """A number in another base is told by its digits: `12_3` and `5` are not one answer."""
        self.place += 1
        return Symbol(f"{token.text}_{self._subscript()}")

    def _bracketed(self, opening: str) -> Tree:
        match opening:
            case "(":
                return self._until(")")
            case "[":
                return self._until("]")
            case "{":
                return self._until("}")
            case "|":
                self._bars += 1
                tree = self.sum()
                self._bars -= 1
                self.need("|")
                return Apply("abs", (tree,))
        raise Unreadable(opening)

    def _fenced(self, name: str) -> Tree:
        return Apply(_FENCED[name], (self._until(_FENCES[name]),))

    def _until(self, closing: str) -> Tree:
        bars, self._bars = self._bars, 0
        tree = self.sum()
        self._bars = bars
        self.need(closing)
        return tree

    def _listed(self) -> tuple[Tree, ...]:
        self.need("(")
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.need(")")
        return tuple(arguments)

    def _argument(self, *, whole_number: bool = False) -> Tree:
        """What a command or a power takes: a group, or a single sign.

        Args:
            whole_number: of a number without braces all digits count, as in `2^10`; else there may be but one,
                since nobody knows what `\\sqrt23` is to be.
        """
        if self.take("{"):
            return self._until("}")
        if self.take("-"):
            if not whole_number:
                raise Unreadable("-")
            return _negative(self._argument(whole_number=True))
        token = self.next
        if token.kind == "number" and not whole_number and len(token.text) != 1:
            return self._first_digit(token)
        if token.kind == "sign" and token.text != "(":
            raise Unreadable(token.text)
        return self._base()

    def _first_digit(self, token: Token) -> Tree:
        """Of `\\frac12` the 1; the 2 is left."""
        before = self.tokens[self.place - 1]
        if not token.text.isdigit() or len(token.text) != 2 or before.text != "frac":
            raise Unreadable(token.text)
        last = Token("number", token.text[1], Fraction(token.text[1]))
        self.tokens = [*self.tokens[: self.place], last, *self.tokens[self.place + 1 :]]
        return Number(Fraction(token.text[0]))

    def _root(self) -> Tree:
        index: Tree = Number(Fraction(2))
        if self.take("["):
            index = self._until("]")
        tree = self._until(")") if self.take("(") else self._argument()
        return Apply("root", (tree, index))

    def _function(self, name: str) -> Tree:
        power: Tree | None = None
        base: tuple[Tree, ...] = ()
        if name == "log" and self.take("_"):
            base = (self._argument(),)
        if self.take("^"):
            power = self._argument(whole_number=True)
        if power == Number(Fraction(-1)):
            name, power = _INVERSES.get(name, ""), None
        if not name:
            raise Unreadable("^{-1}")
        tree: Tree = Apply(name, (self._function_argument(), *base))
        return tree if power is None else Apply("^", (tree, power))

    def _function_argument(self) -> Tree:
        """What is in its brackets, or all that stands beside it: `\\sin 2x \\cos x` has two functions."""
        if self.take("("):
            return self._until(")")
        if self.at("-"):
            raise Unreadable("sin -x")
        tree = self._power()
        while self._at_factor() and not self.at(*_LONE, "(", "["):
            tree = self._beside(tree)
        self._bare = self.place
        return tree


def _negative(tree: Tree) -> Tree:
    return Number(-tree.value) if isinstance(tree, Number) else Apply("-", (tree,))


def _times(tree: Tree, factor: Tree) -> Tree:
    if _has_vector(tree) and _has_vector(factor):
        raise Unreadable("v x w")  # their order may count
    factors = tree.of if isinstance(tree, Apply) and tree.name == "*" else (tree,)
    return Apply("*", (*factors, factor))


def _has_vector(tree: Tree) -> bool:
    return any(name.startswith(_VECTORS) for name in symbols_of(tree))


def _mixed(whole: Tree, part: Apply) -> Tree:
    """A number such as `2\\frac12`."""
    over, under = part.of
    if not (isinstance(whole, Number) and isinstance(over, Number) and isinstance(under, Number)):
        raise Unreadable("3x2 1/2")
    if not 0 < over.value < under.value or whole.value.denominator != 1:
        raise Unreadable("2 3/2")
    return Number(whole.value + over.value / under.value)

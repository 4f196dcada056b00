"""What tokens cost, in dollars: as the user says, or by the package `genai-prices`."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from scaffolding_core.errors import InvalidRequestError, MissingExtraError
from scaffolding_core.messages import Usage

__all__ = ["Prices", "PricesLike", "checked_prices"]

Pair: TypeAlias = tuple[float, float]
PricesLike: TypeAlias = Pair | Mapping[str, Pair]
"""Dollars for a million tokens, read and written: `(0.15, 0.6)` for whatever model it is, or such a pair for each
by its name."""

_MILLION = 1_000_000


class Prices:
    """What tokens of models cost.

    Args:
        given: by the user; a model that is not among them costs what `genai-prices` says.

    Raises:
        InvalidRequestError: what is no price.
    """

    def __init__(self, given: PricesLike | None = None) -> None:
        self._given = given

    def cost(self, model: str | None, usage: Usage) -> Decimal:
        """Dollars for tokens of a model.

        Args:
            model: its name; None if nobody knows it.
            usage: the tokens.

        Raises:
            InvalidRequestError: nobody knows what the model costs.
            MissingExtraError: the price is not given, and `genai-prices` is not installed.
        """
        given = self._given
        pair = given.get(model or "") if isinstance(given, Mapping) else given
        if pair is not None:
            read, written = (Decimal(str(price)) for price in pair)
            return (read * usage.prompt_tokens + written * usage.completion_tokens) / _MILLION
        if model is None:
            raise InvalidRequestError(
                "a budget of dollars has to know the model, and its worker names none: give what a million tokens "
                "cost, read and written, as prices=(0.15, 0.6)"
            )
        return _listed(model, usage)


def _listed(model: str, usage: Usage) -> Decimal:
    try:
        import genai_prices
    except ImportError as error:
        raise MissingExtraError("a budget of dollars without prices of its own", "prices") from error
    tokens = genai_prices.Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=min(usage.cached_tokens, usage.prompt_tokens),
    )
    try:
        return genai_prices.calc_price(tokens, model).total_price
    except LookupError as error:
        raise InvalidRequestError(
            f"no price is known for the model {model!r}: give those of a million tokens, read and written, as "
            f"prices={{{model!r}: (0.15, 0.6)}}"
        ) from error


def checked_prices(prices: PricesLike | None) -> PricesLike | None:
    """The prices, if they are some.

    Raises:
        InvalidRequestError: they are not.
    """
    pairs = prices.values() if isinstance(prices, Mapping) else [] if prices is None else [prices]
    for pair in pairs:
        if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(map(_is_price, pair))):
            raise InvalidRequestError(
                f"prices must be dollars for a million tokens, read and written, as (0.15, 0.6), or such a pair "
                f"for each name of a model, got {prices!r}"
            )
    return prices


def _is_price(price: object) -> bool:
    return isinstance(price, int | float) and not isinstance(price, bool) and 0 <= price < float("inf")

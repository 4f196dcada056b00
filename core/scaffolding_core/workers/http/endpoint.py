"""Endpoint: where a server is, and what of that is secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.shown_text import sentence
from scaffolding_core.workers.http.redaction import Redaction, secrets_of_headers, secrets_of_url

__all__ = ["Endpoint", "headers_with_key", "open_address"]


class Endpoint:
    """The address of a server.

    Args:
        base_url: such as `http://localhost:8000/v1`; user and password in it are sent as `Authorization`, and a
            query with every request.
        headers: sent with every request.

    Attributes:
        address: as it may be shown: without user, password and query.

    Raises:
        InvalidRequestError: an address that is none, a user beside an `Authorization` header, or a value that no
            header can hold.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self.address = _checked(base_url)
        parts = urlsplit(base_url)
        self._above = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._query = f"?{parts.query}" if parts.query else ""
        self._redaction = Redaction([*secrets_of_headers(headers), *secrets_of_url(base_url)])
        for name, value in headers.items():
            if not _fits_in_a_header(name) or not _fits_in_a_header(value):
                raise InvalidRequestError(
                    f"the header {sentence(str(name), 80)!r} holds what no header may, such as an end of line: "
                    "correct it, or the api_key that it is made of"
                )
        if parts.username is not None and any(name.lower() == "authorization" for name in headers):
            raise InvalidRequestError(f"{self.address} is given with a user and with a key: leave one of them out")

    def url(self, route: str, *, without: str = "") -> str:
        """Where requests for a route go, which is not to be shown.

        Args:
            route: below the address.
            without: last part of the address that is left out.
        """
        return f"{self._above.removesuffix(without)}{route}{self._query}"

    def hide(self, text: str) -> str:
        """A text without secrets."""
        return self._redaction.hide(text)

    def quoted(self, text: str, most: int) -> str:
        """What a server has sent, as an error may quote it: without secrets, in one line."""
        return sentence(self.hide(text), most)

    def cause(self, error: BaseException) -> BaseException | None:
        """An error as the cause of another; None if a secret stands in it, or in what lies beneath it."""
        beneath: BaseException | None = error
        while beneath is not None:
            text = f"{beneath} {beneath!r}"
            if self.hide(text) != text:
                return None
            beneath = beneath.__cause__ or beneath.__context__
        return error


def _fits_in_a_header(text: object) -> bool:
    return isinstance(text, str) and not re.search(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]", text)


def headers_with_key(headers: Mapping[str, str] | None, api_key: str | None) -> dict[str, str]:
    """Headers that send a key as bearer token, unless they say `Authorization` themselves.

    Raises:
        InvalidRequestError: a key that is no text.
    """
    if api_key is not None and not isinstance(api_key, str):
        raise InvalidRequestError(f"api_key must be a text, got {type(api_key).__name__}")
    token = {"Authorization": f"Bearer {api_key.strip()}"} if api_key else {}  # files end in a newline
    return {**token, **(headers or {})}


def open_address(url: str) -> str:
    """An address without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")).rstrip("/")


def _checked(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        shown = base_url.rpartition("@")[2].partition("?")[0]
        raise InvalidRequestError(f"base_url must be like http://localhost:8000/v1, got {shown!r}")
    return open_address(base_url)

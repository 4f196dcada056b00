"""What must not stand in an error: keys, passwords, and whatever else only the server is to know."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

__all__ = ["Redaction", "secrets_of_headers", "secrets_of_url"]

_HIDDEN = "***"
_HARMLESS = re.compile(
    r"accept|content-|connection$|user-agent$|host$|cache-control$|x-title$|http-referer$|referer$"
)
_SECRET = re.compile(r"auth|key|token|secret|pass|cookie|signature|credential")
_SHORTEST = 8
"""Letters of a header's value that may be a secret, where the header's name does not say so."""


class Redaction:
    """Hides secrets in texts, in each form that a server may send them back in.

    Args:
        secrets: as they were given.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        ordered = sorted(forms, key=len, reverse=True)  # the longest that fits
        self._pattern = re.compile("|".join(map(_alone, ordered)), re.IGNORECASE) if ordered else None

    def hide(self, text: str) -> str:
        """The text without them."""
        return text if self._pattern is None else self._pattern.sub(_HIDDEN, text)


def secrets_of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """Values of headers that only the server is to know."""
    for name, value in headers.items():
        if _SECRET.search(name.lower()):
            yield from (value, value.partition(" ")[2])
            yield from _of_basic(value)
        elif len(value) >= _SHORTEST and not _HARMLESS.match(name.lower()):
            yield value


def secrets_of_url(url: str) -> Iterator[str]:
    """Password and parameters of an address; a user without a password is a key."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    yield password or user
    if parts.username is not None:
        yield base64.b64encode(f"{user}:{password}".encode()).decode()
    yield from (value for _, value in parse_qsl(parts.query))


def _of_basic(value: str) -> Iterator[str]:
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(encoded).decode()
        except (binascii.Error, ValueError):
            return
        yield pair
        yield pair.partition(":")[2]


def _forms(secret: str) -> Iterator[str]:
    escaped, encoded = json.dumps(secret)[1:-1], secret.encode(errors="replace")
    yield from (secret, escaped, escaped.replace("/", "\\/"), html.escape(secret))
    yield from (repr(secret)[1:-1], repr(encoded)[2:-1], encoded.decode("latin-1"))
    yield from (quote(secret, errors="replace"), quote(secret, "", errors="replace"))
    yield quote_plus(secret, errors="replace")
    yield base64.b64encode(encoded).decode()


def _alone(form: str) -> str:
    """A short one is no part of a word: a key named `test` is none of `latest`."""
    pattern = re.escape(form)
    return pattern if len(form) >= _SHORTEST else rf"(?<![^\W_]){pattern}(?![^\W_])"

"""Values hidden in a copy: hashed, redacted, or shown in part. Pure.

`hash` is HMAC-SHA-256 (RFC 2104) under the installation's secret: equal values stay equal in every
copy, so that they can be joined on, and cannot be guessed without the secret.
"""

import hmac
from hashlib import sha256

from lineage.connectors.columns import Convert
from lineage.connectors.declared_columns import Mask
from lineage.connectors.expressions.casts import text_of

REDACTED = "[redacted]"
_STARS = "****"
_SHOWN = 4
_SHORTEST = 3 * _SHOWN


def masked(mask: Mask, kind: str, secret: bytes) -> Convert:
    """Return what hides a canonical value of a kind; the result is text, null stays null."""
    text = text_of(kind)
    if mask == "redact":
        return lambda _value: REDACTED
    if mask == "partial":
        return lambda value: part_of(text(value))
    assert secret, "a secret is needed to hash"
    return lambda value: hmac.digest(secret, text(value).encode(), sha256).hex()


def part_of(text: str) -> str:
    """Show the domain of an address, else the last four of at least twelve characters."""
    name, at, domain = text.rpartition("@")
    if at and name and "." in domain:
        return f"{_STARS}@{domain}"
    return _STARS + (text[-_SHOWN:] if len(text) >= _SHORTEST else "")

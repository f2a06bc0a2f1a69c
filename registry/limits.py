"""Limits on a schema's text, checked before it is parsed."""

import re

from django.conf import settings

from registry.errors import SchemaTooLargeError

# Possessive, and content with an end of line or of text, so that a string is walked once only.
_STRING = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def check_size(text: str) -> None:
    """Refuse a text that is too long, nested too deeply, or made of too many parts."""
    size = len(text.encode(errors="surrogatepass"))
    if size > settings.REGISTRY_MAX_SCHEMA_BYTES:
        raise SchemaTooLargeError(
            f"Schema is too large: {size} bytes, at most {settings.REGISTRY_MAX_SCHEMA_BYTES}"
        )
    depth = parts = 0
    for match in _BRACKET.finditer(_STRING.sub("", text)):
        if match[0] in "]}":
            depth -= 1
            continue
        depth += 1
        parts += 1
        if depth > settings.REGISTRY_MAX_SCHEMA_DEPTH:
            raise SchemaTooLargeError(
                f"Schema is nested deeper than {settings.REGISTRY_MAX_SCHEMA_DEPTH} levels"
            )
        if parts > settings.REGISTRY_MAX_SCHEMA_PARTS:
            raise SchemaTooLargeError(
                f"Schema has more than {settings.REGISTRY_MAX_SCHEMA_PARTS} parts"
            )

"""From a text to JSON values, as the Java library reads it: with comments, and nothing after."""

import json
import re
from typing import Any

from registry.formats.contract import SchemaInvalidError

# what does not end is taken to the end too, or each of its quotes would be tried as a beginning
_COMMENTS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|/\*.*?(?:\*/|\Z)|//[^\r\n]*', re.DOTALL)
_UP_TO_SPACE = "".join(map(chr, range(0x21)))


def read_json(text: str) -> Any:
    """Parse JSON; `/* */` and `//` comments count as spaces within the value, not after it."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise SchemaInvalidError("nested too deeply") from None
    except ValueError as wrong:
        return _read_commented(text, wrong)


def _read_commented(text: str, wrong: ValueError) -> Any:
    """The value of a text that is not JSON as it stands."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    spaced = _COMMENTS.sub(_blank, text)
    start = len(spaced) - len(spaced.lstrip(" \t\r\n"))
    try:
        value, end = decoder.raw_decode(spaced, start)
    except ValueError:
        raise SchemaInvalidError(f"not JSON: {wrong}") from None
    except RecursionError:
        raise SchemaInvalidError("nested too deeply") from None
    dangling = text[end:].strip(_UP_TO_SPACE)
    if dangling:
        raise SchemaInvalidError(f"dangling content after end of schema: {dangling[:200]}")
    return value


def _blank(match: re.Match[str]) -> str:
    """Spaces in place of a comment, so that every position stays."""
    found = match[0]
    if found.startswith('"') or (found.startswith("/*") and not found.endswith("*/")):
        return found
    return " " * len(found)


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")

"""String literals of .proto text: what they hold, and their one canonical spelling."""

import re

_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|[xX](?P<hex>[0-9a-fA-F]{1,2})|u(?P<high>[dD][89abAB][0-9a-fA-F]{2})"
    r"\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})"
    r"|(?P<char>.))",
    re.DOTALL,
)
_CHARACTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SPELT = {char: f"\\{letter}" for letter, char in _CHARACTERS.items()} | {
    "\\": "\\\\",
    '"': '\\"',
}


def decode(inside: str) -> bytes:
    """The bytes of a literal, given without its quotes; an escape may make any byte."""
    parts: list[bytes] = []
    end = 0
    for escape in _ESCAPE.finditer(inside):
        parts += [_utf8(inside[end : escape.start()]), _meant(escape)]
        end = escape.end()
    return b"".join([*parts, _utf8(inside[end:])])


def quote(value: str | bytes) -> str:
    """A literal in double quotes: letters as they are, bytes that are no text in octal."""
    raw = _utf8(value) if isinstance(value, str) else value
    spelt = (_spell(char) for char in raw.decode("utf-8", "surrogateescape"))
    return f'"{"".join(spelt)}"'


def _meant(escape: re.Match[str]) -> bytes:
    if escape["octal"] is not None:
        return bytes([int(escape["octal"], 8) & 0xFF])
    if escape["hex"] is not None:
        return bytes([int(escape["hex"], 16)])
    if escape["high"] is not None:
        pair = (int(escape["high"], 16) - 0xD800, int(escape["low"], 16) - 0xDC00)
        return _utf8(chr(0x10000 + (pair[0] << 10) + pair[1]))
    code = escape["short"] or escape["long"]
    if code is not None:
        return _utf8(chr(min(int(code, 16), 0x10FFFF)))
    return _utf8(_CHARACTERS.get(escape["char"], escape["char"]))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _spell(char: str) -> str:
    if char in _SPELT:
        return _SPELT[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\{code - 0xDC00:03o}"
    return f"\\{code:03o}" if code < 32 or code == 127 else char

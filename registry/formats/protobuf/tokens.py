"""The tokens of a .proto file, each with the comments that belong to it."""

import re
from dataclasses import dataclass

from registry.formats.contract import SchemaInvalidError

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f\v]+)
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fF]?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<symbol>[{}\[\]()<>=;:,.\-+]|/(?!\*))""",
    re.VERBOSE | re.DOTALL,
)


# About 25,000 fields; more would keep everyone else waiting.
MAX_TOKENS = 200_000


@dataclass(slots=True)
class Token:
    """One token; `doc` are the comments before it, `trailing` the one after it on its line."""

    kind: str
    text: str
    offset: int
    doc: str = ""
    trailing: str = ""


def tokenize(text: str) -> list[Token]:
    """All tokens, an empty one of kind `end` last; SchemaInvalidError at a foreign character."""
    tokens: list[Token] = []
    comments: list[str] = []
    offset, same_line = 0, False
    while offset < len(text):
        found = _TOKEN.match(text, offset)
        if found is None:
            raise SchemaInvalidError(_unreadable(text, offset), position(text, offset))
        kind = found.lastgroup or ""
        if kind == "comment":
            if same_line and not comments and tokens[-1].text in {";", "}", ",", "{"}:
                tokens[-1].trailing = _clean(found[0])
            else:
                comments.append(_clean(found[0]))
        elif kind != "space":
            if len(tokens) >= MAX_TOKENS:
                raise SchemaInvalidError(f"more than {MAX_TOKENS} words", position(text, offset))
            tokens.append(Token(kind, found[0], offset, "\n".join(comments)))
            comments = []
        same_line = kind not in {"space", "comment"} or (same_line and "\n" not in found[0])
        offset = found.end()
    return [*tokens, Token("end", "", len(text))]


def _unreadable(text: str, offset: int) -> str:
    if text.startswith("/*", offset):
        return "a comment does not end"
    return "a string does not end" if text[offset] in "\"'" else "unexpected character"


def position(text: str, offset: int) -> str:
    """An offset as people count: line and column from 1."""
    line = text.count("\n", 0, offset) + 1
    return f"line {line} column {offset - text.rfind(chr(10), 0, offset)}"


def _clean(comment: str) -> str:
    """The words of a comment, without its slashes, stars and common margin."""
    if comment.startswith("//"):
        return comment[2:].removeprefix(" ").rstrip()
    lines = [line.strip() for line in comment[2:-2].strip("*").split("\n")]
    bare = [line.removeprefix("*").removeprefix(" ") if i else line for i, line in enumerate(lines)]
    return "\n".join(bare).strip()

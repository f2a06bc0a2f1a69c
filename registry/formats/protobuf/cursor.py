"""Reading of .proto tokens one by one, and of what stands in all declarations: names, options."""

from registry.formats.contract import SchemaInvalidError
from registry.formats.protobuf.strings import decode, quote
from registry.formats.protobuf.syntax import Constant, Literal, Option
from registry.formats.protobuf.tokens import Token, position, tokenize

# As deep as protoc itself goes with messages; message literals count as well.
MAX_NESTING = 32


class Cursor:
    """A place in the tokens of one text; errors carry line and column."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._at = 0
        self.nesting = 0

    # Tokens ------------------------------------------------------------------------------------

    @property
    def following(self) -> Token:
        """The token after the next one."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    @property
    def token(self) -> Token:
        """The token that is next."""
        return self._tokens[self._at]

    def next(self) -> Token:
        """Take a token; the end is never passed."""
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def sees(self, text: str, ahead: int = 0) -> bool:
        """Whether that word or symbol stands here, or some tokens ahead."""
        at = min(self._at + ahead, len(self._tokens) - 1)
        return self._tokens[at].text == text and self._tokens[at].kind != "string"

    def accept(self, text: str) -> bool:
        """Take that word or symbol if it is next."""
        found = self.sees(text)
        self._at += found
        return found

    def expect(self, text: str) -> Token:
        """Take that word or symbol; SchemaInvalidError when it is not next."""
        if not self.sees(text):
            raise self.error(f"expected {text!r}")
        return self.next()

    def error(self, message: str, token: Token | None = None) -> SchemaInvalidError:
        """What was expected and what was found, and where."""
        token = token or self.token
        found = token.text[:40] or "the end"
        return SchemaInvalidError(f"{message}, found {found}", position(self._text, token.offset))

    def name(self) -> str:
        """Take an identifier."""
        if self.token.kind != "name":
            raise self.error("expected a name")
        return self.next().text

    def type(self) -> str:
        """A possibly qualified name, a leading dot kept."""
        parts = ["."] if self.accept(".") else []
        parts.append(self.name())
        while self.accept("."):
            parts += [".", self.name()]
        return "".join(parts)

    def integer(self) -> int:
        """Take a whole number: decimal, octal or hexadecimal, with its sign."""
        negative = self.accept("-")
        token = self.next()
        try:
            digits = token.text
            octal = len(digits) > 1 and digits.startswith("0") and digits.isdigit()
            value = int(digits, 8 if octal else 0) if token.kind == "number" else None
        except ValueError:
            value = None
        if value is None:
            raise self.error("expected an integer", token)
        return -value if negative else value

    def raw(self) -> bytes:
        """What adjacent strings hold together."""
        if self.token.kind != "string":
            raise self.error("expected a string")
        parts = []
        while self.token.kind == "string":
            parts.append(decode(self.next().text[1:-1]))
        return b"".join(parts)

    def string(self) -> str:
        """What adjacent strings hold together, where it must be text."""
        return self.raw().decode("utf-8", "replace")

    def ended(self, doc: str) -> str:
        """Read the `;` that ends a declaration; its documentation, a trailing comment included."""
        trailing = self.expect(";").trailing
        return "\n".join(part for part in (doc, trailing) if part)

    # Options -----------------------------------------------------------------------------------

    def option_statement(self) -> Option:
        """Take `option name = value;`."""
        self.expect("option")
        option = self._option()
        self.expect(";")
        return option

    def _option(self) -> Option:
        name = self._option_name()
        self.expect("=")
        return Option(name, self._constant())

    def _option_name(self) -> str:
        parts: list[str] = []
        while True:
            if self.accept("("):
                parts.append(f"({self.type()})")
                self.expect(")")
            else:
                parts.append(self.name())
            if not self.accept("."):
                return ".".join(parts)

    def bracketed(self) -> list[Option]:
        """Take options in brackets, if there are any."""
        options: list[Option] = []
        if self.accept("["):
            options.append(self._option())
            while self.accept(","):
                options.append(self._option())
            self.expect("]")
        return options

    def _constant(self) -> Constant:
        if self.sees("{") or self.sees("<"):
            return self._literal()
        if self.accept("["):
            return self._list()
        if self.token.kind == "string":
            return quote(self.raw())
        sign = "-" if self.accept("-") else ""
        if not sign:
            self.accept("+")
        if self.token.kind == "name":
            return sign + self.type()
        if self.token.kind != "number":
            raise self.error("expected a value")
        return sign + self.next().text

    def _list(self) -> tuple[Constant, ...]:
        items: list[Constant] = []
        self.descend()
        while not self.accept("]"):
            items.append(self._constant())
            if not self.sees("]"):
                self.expect(",")
        self.nesting -= 1
        return tuple(items)

    def _literal(self) -> Literal:
        self.descend()
        closing = "}" if self.next().text == "{" else ">"
        entries: list[tuple[str, Constant]] = []
        while not self.accept(closing):
            name = self._literal_name()
            if not self.accept(":") and not (self.sees("{") or self.sees("<") or self.sees("[")):
                raise self.error("expected ':'")
            entries.append((name, self._constant()))
            if not self.accept(","):
                self.accept(";")
        self.nesting -= 1
        return Literal(tuple(entries))

    def _literal_name(self) -> str:
        if not self.accept("["):
            return self.name()
        name = self.type()
        if self.accept("/"):
            name += "/" + self.type()
        self.expect("]")
        return f"[{name}]"

    def descend(self) -> None:
        """Enter a level of nesting; leaving is the caller's `nesting -= 1`."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(f"nested deeper than {MAX_NESTING} levels")

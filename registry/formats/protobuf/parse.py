"""From the text of a .proto file to its syntax tree: proto2, proto3 and editions.

The grammar of protobuf.dev, leniently: what a valid file means is protoc's to say; this tree
keeps what a descriptor loses, the spelling of names and options and the order of declarations.
"""

from collections.abc import Callable, Mapping

from registry.formats.contract import SchemaInvalidError
from registry.formats.protobuf.syntax import (
    Constant,
    Enum,
    Extend,
    Extensions,
    Field,
    File,
    Literal,
    Message,
    Oneof,
    Option,
    Range,
    Reserved,
    Rpc,
    Service,
    Value,
)
from registry.formats.protobuf.tokens import Token, position, tokenize

# As deep as protoc itself goes with messages; message literals count as well.
MAX_NESTING = 32
_NESTED = frozenset({"message", "enum", "extend", "oneof"})
_LABELS = frozenset({"optional", "required", "repeated"})


def parse(text: str) -> File:
    """The syntax tree; SchemaInvalidError with line and column."""
    return _Parser(text).file()


class _Parser:
    """Recursive descent; one method per production."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._at = 0
        self._nesting = 0

    # Tokens ------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def _is(self, text: str, ahead: int = 0) -> bool:
        at = min(self._at + ahead, len(self._tokens) - 1)
        return self._tokens[at].text == text and self._tokens[at].kind != "string"

    def _accept(self, text: str) -> bool:
        found = self._is(text)
        self._at += found
        return found

    def _expect(self, text: str) -> Token:
        if not self._is(text):
            raise self._error(f"expected {text!r}")
        return self._next()

    def _error(self, message: str, token: Token | None = None) -> SchemaInvalidError:
        token = token or self._token
        found = token.text[:40] or "the end"
        return SchemaInvalidError(f"{message}, found {found}", position(self._text, token.offset))

    def _name(self) -> str:
        if self._token.kind != "name":
            raise self._error("expected a name")
        return self._next().text

    def _type(self) -> str:
        """A possibly qualified name, a leading dot kept."""
        parts = ["."] if self._accept(".") else []
        parts.append(self._name())
        while self._accept("."):
            parts += [".", self._name()]
        return "".join(parts)

    def _integer(self) -> int:
        negative = self._accept("-")
        token = self._next()
        try:
            digits = token.text
            octal = len(digits) > 1 and digits.startswith("0") and digits.isdigit()
            value = int(digits, 8 if octal else 0) if token.kind == "number" else None
        except ValueError:
            value = None
        if value is None:
            raise self._error("expected an integer", token)
        return -value if negative else value

    def _string(self) -> str:
        """Adjacent strings joined, still in their escaped form, in double quotes."""
        if self._token.kind != "string":
            raise self._error("expected a string")
        parts = []
        while self._token.kind == "string":
            parts.append(_requoted(self._next().text))
        return f'"{"".join(parts)}"'

    def _ended(self, doc: str) -> str:
        """Read the `;` that ends a declaration; its documentation, a trailing comment included."""
        trailing = self._expect(";").trailing
        return "\n".join(part for part in (doc, trailing) if part)

    # File --------------------------------------------------------------------------------------

    def file(self) -> File:
        file = File()
        self._heading(file)
        declarations: Mapping[str, Callable[[File], None]] = {
            "package": self._package,
            "import": self._import,
            "option": lambda file: file.options.append(self._option_statement()),
            "message": lambda file: file.types.append(self._message()),
            "enum": lambda file: file.types.append(self._enum()),
            "extend": lambda file: file.extends.append(self._extend()),
            "service": lambda file: file.services.append(self._service()),
            "export": lambda file: file.types.append(self._visible()),
            "local": lambda file: file.types.append(self._visible()),
        }
        while self._token.kind != "end":
            if self._accept(";"):
                continue
            declaration = declarations.get(self._token.text)
            if declaration is None or self._token.kind != "name":
                raise self._error("expected a top-level declaration")
            declaration(file)
        return file

    def _heading(self, file: File) -> None:
        if self._accept("syntax"):
            self._expect("=")
            file.syntax = self._string()[1:-1]
            if file.syntax not in {"proto2", "proto3"}:
                raise SchemaInvalidError(f"unknown syntax {file.syntax[:40]!r}")
            self._expect(";")
        elif self._accept("edition"):
            self._expect("=")
            file.edition = self._string()[1:-1]
            self._expect(";")

    def _package(self, file: File) -> None:
        self._next()
        if file.package:
            raise self._error("a second package")
        file.package = self._type()
        self._expect(";")

    def _import(self, file: File) -> None:
        self._next()
        target = file.imports
        if self._accept("public"):
            target = file.public_imports
        elif self._accept("option"):
            target = file.option_imports
        elif self._accept("weak"):
            target = file.imports
        target.append(self._string()[1:-1])
        self._expect(";")

    def _visible(self) -> Message | Enum:
        doc, visibility = self._token.doc, self._next().text
        declared = self._message() if self._is("message") else self._enum()
        declared.visibility = visibility
        declared.doc = declared.doc or doc
        return declared

    # Options -----------------------------------------------------------------------------------

    def _option_statement(self) -> Option:
        self._expect("option")
        option = self._option()
        self._expect(";")
        return option

    def _option(self) -> Option:
        name = self._option_name()
        self._expect("=")
        return Option(name, self._constant())

    def _option_name(self) -> str:
        parts: list[str] = []
        while True:
            if self._accept("("):
                parts.append(f"({self._type()})")
                self._expect(")")
            else:
                parts.append(self._name())
            if not self._accept("."):
                return ".".join(parts)

    def _bracketed(self) -> list[Option]:
        options: list[Option] = []
        if self._accept("["):
            options.append(self._option())
            while self._accept(","):
                options.append(self._option())
            self._expect("]")
        return options

    def _constant(self) -> Constant:
        if self._is("{") or self._is("<"):
            return self._literal()
        if self._accept("["):
            return self._list()
        if self._token.kind == "string":
            return self._string()
        sign = "-" if self._accept("-") else ""
        if not sign:
            self._accept("+")
        if self._token.kind == "name":
            return sign + self._type()
        if self._token.kind != "number":
            raise self._error("expected a value")
        return sign + self._next().text

    def _list(self) -> tuple[Constant, ...]:
        items: list[Constant] = []
        self._descend()
        while not self._accept("]"):
            items.append(self._constant())
            if not self._is("]"):
                self._expect(",")
        self._nesting -= 1
        return tuple(items)

    def _literal(self) -> Literal:
        self._descend()
        closing = "}" if self._next().text == "{" else ">"
        entries: list[tuple[str, Constant]] = []
        while not self._accept(closing):
            name = self._literal_name()
            if not self._accept(":") and not (self._is("{") or self._is("<") or self._is("[")):
                raise self._error("expected ':'")
            entries.append((name, self._constant()))
            if not self._accept(","):
                self._accept(";")
        self._nesting -= 1
        return Literal(tuple(entries))

    def _literal_name(self) -> str:
        if not self._accept("["):
            return self._name()
        name = self._type()
        if self._accept("/"):
            name += "/" + self._type()
        self._expect("]")
        return f"[{name}]"

    def _descend(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self._error(f"nested deeper than {MAX_NESTING} levels")

    # Messages ----------------------------------------------------------------------------------

    def _message(self) -> Message:
        doc = self._expect("message").doc
        message = Message(self._name(), doc=doc)
        self._body(message)
        return message

    def _body(self, message: Message) -> None:
        self._descend()
        opening = self._expect("{")
        message.doc = "\n".join(part for part in (message.doc, opening.trailing) if part)
        while not self._accept("}"):
            if not self._accept(";"):
                self._member(message)
        self._nesting -= 1

    def _member(self, message: Message) -> None:
        keyword, follows = self._token.text, self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        if keyword in _NESTED and (follows.kind == "name" or follows.text == "."):
            self._nested(message, keyword)
        elif keyword in {"export", "local"} and follows.text in {"message", "enum"}:
            message.types.append(self._visible())
        elif keyword == "option" and (follows.kind == "name" or follows.text == "("):
            message.options.append(self._option_statement())
        elif keyword == "reserved" and (follows.kind != "name" or self._is_bare_reserved()):
            message.reserved.append(self._reserved())
        elif keyword == "extensions" and follows.kind == "number":
            message.extensions.append(self._extensions())
        else:
            message.fields.append(self._field())

    def _is_bare_reserved(self) -> bool:
        """`reserved foo;` or `reserved foo, bar;` against a field `reserved foo = 1;`."""
        return self._is(";", ahead=2) or self._is(",", ahead=2)

    def _nested(self, message: Message, keyword: str) -> None:
        if keyword == "message":
            message.types.append(self._message())
        elif keyword == "enum":
            message.types.append(self._enum())
        elif keyword == "oneof":
            message.oneofs.append(self._oneof())
        else:
            message.extends.append(self._extend())

    def _field(self) -> Field:
        doc = self._token.doc
        label = ""
        if self._token.text in _LABELS:
            label = self._next().text
        if self._is("group") and self._is("=", ahead=2):
            return self._group(label, doc)
        type_ = self._map() if self._is("map") and self._is("<", ahead=1) else self._type()
        name = self._name()
        self._expect("=")
        field = Field(label, type_, name, self._integer(), self._bracketed())
        field.doc = self._ended(doc)
        return field

    def _map(self) -> str:
        self._next()
        self._expect("<")
        key = self._type()
        self._expect(",")
        value = self._type()
        self._expect(">")
        return f"map<{key}, {value}>"

    def _group(self, label: str, doc: str) -> Field:
        self._next()
        name = self._name()
        self._expect("=")
        field = Field(label, "group", name, self._integer(), self._bracketed(), doc)
        field.group = Message(name)
        self._body(field.group)
        return field

    def _oneof(self) -> Oneof:
        doc = self._expect("oneof").doc
        oneof = Oneof(self._name(), doc=doc)
        self._expect("{")
        while not self._accept("}"):
            if self._accept(";"):
                continue
            if self._is("option") and not self._is("=", ahead=2):
                oneof.options.append(self._option_statement())
            else:
                oneof.fields.append(self._field())
        return oneof

    def _reserved(self) -> Reserved:
        self._next()
        reserved = Reserved()
        while True:
            if self._token.kind == "string":
                reserved.names.append(self._string()[1:-1])
            elif self._token.kind == "name":
                reserved.bare = True
                reserved.names.append(self._name())
            else:
                reserved.ranges.append(self._range())
            if not self._accept(","):
                break
        self._expect(";")
        return reserved

    def _range(self) -> Range:
        first = self._integer()
        if not self._accept("to"):
            return first, first
        return first, None if self._accept("max") else self._integer()

    def _extensions(self) -> Extensions:
        self._next()
        ranges = [self._range()]
        while self._accept(","):
            ranges.append(self._range())
        extensions = Extensions(ranges, self._bracketed())
        self._expect(";")
        return extensions

    def _extend(self) -> Extend:
        doc = self._expect("extend").doc
        extend = Extend(self._type(), doc=doc)
        self._expect("{")
        while not self._accept("}"):
            if not self._accept(";"):
                extend.fields.append(self._field())
        return extend

    # Enums and services ------------------------------------------------------------------------

    def _enum(self) -> Enum:
        doc = self._expect("enum").doc
        enum = Enum(self._name(), doc=doc)
        self._expect("{")
        while not self._accept("}"):
            if self._accept(";"):
                continue
            if self._is("option") and not self._is("=", ahead=1):
                enum.options.append(self._option_statement())
            elif self._is("reserved") and not self._is("=", ahead=1):
                enum.reserved.append(self._reserved())
            else:
                enum.values.append(self._value())
        return enum

    def _value(self) -> Value:
        doc = self._token.doc
        name = self._name()
        self._expect("=")
        value = Value(name, self._integer(), self._bracketed())
        value.doc = self._ended(doc)
        return value

    def _service(self) -> Service:
        doc = self._expect("service").doc
        service = Service(self._name(), doc=doc)
        self._expect("{")
        while not self._accept("}"):
            if self._accept(";"):
                continue
            if self._is("option"):
                service.options.append(self._option_statement())
            else:
                service.rpcs.append(self._rpc())
        return service

    def _rpc(self) -> Rpc:
        doc = self._expect("rpc").doc
        name = self._name()
        request_streaming, request = self._rpc_type()
        self._expect("returns")
        response_streaming, response = self._rpc_type()
        rpc = Rpc(name, request, response, request_streaming, response_streaming, doc=doc)
        if self._accept("{"):
            while not self._accept("}"):
                if not self._accept(";"):
                    rpc.options.append(self._option_statement())
        else:
            self._expect(";")
        return rpc

    def _rpc_type(self) -> tuple[bool, str]:
        self._expect("(")
        streaming = self._is("stream") and not self._is(")", ahead=1) and self._accept("stream")
        type_ = self._type()
        self._expect(")")
        return streaming, type_


def _requoted(token: str) -> str:
    """The inside of a string token, escaped for double quotes."""
    inside = token[1:-1]
    if token.startswith("'"):
        inside = inside.replace("\\'", "'").replace('"', '\\"')
    return inside

"""From the text of a .proto file to its syntax tree: proto2, proto3 and editions.

The grammar of protobuf.dev, leniently: what a valid file means is protoc's to say; this tree
keeps what a descriptor loses, the spelling of names and options and the order of declarations.
"""

from collections.abc import Callable, Mapping

from registry.formats.contract import SchemaInvalidError
from registry.formats.protobuf.cursor import Cursor
from registry.formats.protobuf.syntax import (
    MAX_ENUM,
    MAX_TAG,
    Enum,
    Extend,
    Extensions,
    Field,
    File,
    Message,
    Oneof,
    Range,
    Reserved,
    Rpc,
    Service,
    Value,
    default_last,
)

_NESTED = frozenset({"message", "enum", "extend", "oneof"})
_LABELS = frozenset({"optional", "required", "repeated"})


def parse(text: str) -> File:
    """The syntax tree; SchemaInvalidError with line and column."""
    return _Parser(text).file()


class _Parser(Cursor):
    """Recursive descent; one method per production."""

    # File --------------------------------------------------------------------------------------

    def file(self) -> File:
        file = File()
        self._heading(file)
        declarations: Mapping[str, Callable[[File], None]] = {
            "package": self._package,
            "import": self._import,
            "option": lambda file: file.options.append(self.option_statement()),
            "message": lambda file: file.types.append(self._message()),
            "enum": lambda file: file.types.append(self._enum()),
            "extend": lambda file: file.extends.append(self._extend()),
            "service": lambda file: file.services.append(self._service()),
            "export": lambda file: file.types.append(self._visible()),
            "local": lambda file: file.types.append(self._visible()),
        }
        while self.token.kind != "end":
            if self.accept(";"):
                continue
            declaration = declarations.get(self.token.text)
            if declaration is None or self.token.kind != "name":
                raise self.error("expected a top-level declaration")
            declaration(file)
        return file

    def _heading(self, file: File) -> None:
        if self.accept("syntax"):
            self.expect("=")
            file.syntax = self.string()
            if file.syntax not in {"proto2", "proto3"}:
                raise SchemaInvalidError(f"unknown syntax {file.syntax[:40]!r}")
            self.expect(";")
        elif self.accept("edition"):
            self.expect("=")
            file.edition = self.string()
            self.expect(";")

    def _package(self, file: File) -> None:
        self.next()
        if file.package:
            raise self.error("a second package")
        file.package = self.type()
        self.expect(";")

    def _import(self, file: File) -> None:
        self.next()
        target = file.imports
        if self.accept("public"):
            target = file.public_imports
        elif self.accept("option"):
            target = file.option_imports
        elif self.accept("weak"):
            target = file.imports
        target.append(self.string())
        self.expect(";")

    def _visible(self) -> Message | Enum:
        doc, visibility = self.token.doc, self.next().text
        declared = self._message() if self.sees("message") else self._enum()
        declared.visibility = visibility
        declared.doc = declared.doc or doc
        return declared

    # Messages ----------------------------------------------------------------------------------

    def _message(self) -> Message:
        doc = self.expect("message").doc
        message = Message(self.name(), doc=doc)
        self._body(message)
        return message

    def _body(self, message: Message) -> None:
        self.descend()
        opening = self.expect("{")
        message.doc = "\n".join(part for part in (message.doc, opening.trailing) if part)
        while not self.accept("}"):
            if not self.accept(";"):
                self._member(message)
        self.nesting -= 1

    def _member(self, message: Message) -> None:
        keyword, follows = self.token.text, self.following
        if keyword in _NESTED and (follows.kind == "name" or follows.text == "."):
            self._nested(message, keyword)
        elif keyword in {"export", "local"} and follows.text in {"message", "enum"}:
            message.types.append(self._visible())
        elif keyword == "option" and (follows.kind == "name" or follows.text == "("):
            message.options.append(self.option_statement())
        elif keyword == "reserved" and (follows.kind != "name" or self._is_bare_reserved()):
            message.reserved.append(self._reserved(MAX_TAG))
        elif keyword == "extensions" and follows.kind == "number":
            message.extensions.append(self._extensions())
        else:
            message.fields.append(self._field())

    def _is_bare_reserved(self) -> bool:
        """`reserved foo;` or `reserved foo, bar;` against a field `reserved foo = 1;`."""
        return self.sees(";", ahead=2) or self.sees(",", ahead=2)

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
        doc = self.token.doc
        label = ""
        if self.token.text in _LABELS:
            label = self.next().text
        if self.sees("group") and self.sees("=", ahead=2):
            return self._group(label, doc)
        type_ = self._map() if self.sees("map") and self.sees("<", ahead=1) else self.type()
        name = self.name()
        self.expect("=")
        field = Field(label, type_, name, self.integer(), default_last(self.bracketed()))
        field.doc = self.ended(doc)
        return field

    def _map(self) -> str:
        self.next()
        self.expect("<")
        key = self.type()
        self.expect(",")
        value = self.type()
        self.expect(">")
        return f"map<{key}, {value}>"

    def _group(self, label: str, doc: str) -> Field:
        self.next()
        name = self.name()
        self.expect("=")
        field = Field(label, "group", name, self.integer(), default_last(self.bracketed()), doc)
        field.group = Message(name)
        self._body(field.group)
        return field

    def _oneof(self) -> Oneof:
        doc = self.expect("oneof").doc
        oneof = Oneof(self.name(), doc=doc)
        self.expect("{")
        while not self.accept("}"):
            if self.accept(";"):
                continue
            if self.sees("option") and not self.sees("=", ahead=2):
                oneof.options.append(self.option_statement())
            else:
                oneof.fields.append(self._field())
        return oneof

    def _reserved(self, maximum: int) -> Reserved:
        self.next()
        reserved = Reserved()
        while True:
            if self.token.kind == "string":
                reserved.names.append(self.string())
            elif self.token.kind == "name":
                reserved.bare = True
                reserved.names.append(self.name())
            else:
                reserved.ranges.append(self._range(maximum))
            if not self.accept(","):
                break
        self.expect(";")
        return reserved

    def _range(self, maximum: int) -> Range:
        first = self.integer()
        if not self.accept("to"):
            return first, first
        last = None if self.accept("max") else self.integer()
        return first, None if last is None or last >= maximum else last

    def _extensions(self) -> Extensions:
        self.next()
        ranges = [self._range(MAX_TAG)]
        while self.accept(","):
            ranges.append(self._range(MAX_TAG))
        extensions = Extensions(ranges, self.bracketed())
        self.expect(";")
        return extensions

    def _extend(self) -> Extend:
        doc = self.expect("extend").doc
        extend = Extend(self.type(), doc=doc)
        self.expect("{")
        while not self.accept("}"):
            if not self.accept(";"):
                extend.fields.append(self._field())
        return extend

    # Enums and services ------------------------------------------------------------------------

    def _enum(self) -> Enum:
        doc = self.expect("enum").doc
        enum = Enum(self.name(), doc=doc)
        self.expect("{")
        while not self.accept("}"):
            if self.accept(";"):
                continue
            if self.sees("option") and not self.sees("=", ahead=1):
                enum.options.append(self.option_statement())
            elif self.sees("reserved") and not self.sees("=", ahead=1):
                enum.reserved.append(self._reserved(MAX_ENUM))
            else:
                enum.values.append(self._value())
        return enum

    def _value(self) -> Value:
        doc = self.token.doc
        name = self.name()
        self.expect("=")
        value = Value(name, self.integer(), self.bracketed())
        value.doc = self.ended(doc)
        return value

    def _service(self) -> Service:
        doc = self.expect("service").doc
        service = Service(self.name(), doc=doc)
        self.expect("{")
        while not self.accept("}"):
            if self.accept(";"):
                continue
            if self.sees("option"):
                service.options.append(self.option_statement())
            else:
                service.rpcs.append(self._rpc())
        return service

    def _rpc(self) -> Rpc:
        doc = self.expect("rpc").doc
        name = self.name()
        request_streaming, request = self._rpc_type()
        self.expect("returns")
        response_streaming, response = self._rpc_type()
        rpc = Rpc(name, request, response, request_streaming, response_streaming, doc=doc)
        if self.accept("{"):
            while not self.accept("}"):
                if not self.accept(";"):
                    rpc.options.append(self.option_statement())
        else:
            self.expect(";")
        return rpc

    def _rpc_type(self) -> tuple[bool, str]:
        self.expect("(")
        streaming = self.sees("stream") and not self.sees(")", ahead=1) and self.accept("stream")
        type_ = self.type()
        self.expect(")")
        return streaming, type_

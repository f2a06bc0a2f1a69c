"""Confluent's tags of messages and fields in .proto text: the options of confluent/meta.proto.

An entity's path is its full name without a leading dot: package, messages, field. The package may
be left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from registry.formats.contract import SchemaInvalidError
from registry.formats.protobuf.parse import parse
from registry.formats.protobuf.render import render
from registry.formats.protobuf.strings import decode, quote
from registry.formats.protobuf.syntax import Constant, File, Literal, Message, Option

META = "confluent/meta.proto"
_OPTIONS = {"SR_RECORD": "(confluent.message_meta)", "SR_FIELD": "(confluent.field_meta)"}


@dataclass(frozen=True)
class Tagged:
    """A message or a field with the options that hold its tags; `kind` is SR_RECORD or SR_FIELD."""

    path: str
    kind: str
    options: list[Option]
    # An inner package of this name hides the outer one, unless a leading dot says which is meant.
    is_hidden: bool = False

    @property
    def tags(self) -> list[str]:
        """The tags that it has, in order, each once."""
        found = (tag for option in self._own() for tag in _tags_of(option, self._name))
        return list(dict.fromkeys(found))

    @property
    def _name(self) -> str:
        return _OPTIONS[self.kind]

    @property
    def _written(self) -> str:
        return self._name.replace("(", "(.") if self.is_hidden else self._name

    def _own(self) -> list[Option]:
        return [each for each in self.options if _spelt(each).startswith(self._name)]

    def set(self, tags: Sequence[str]) -> None:
        """Put these tags in place of those that it has."""
        for at, option in enumerate(self.options):
            if _spelt(option) == self._name and isinstance(option.value, Literal):
                rest = tuple(entry for entry in option.value.entries if entry[0] != "tags")
                self.options[at] = Option(option.name, Literal(rest))
        self.options[:] = [
            each
            for each in self.options
            if _spelt(each) != f"{self._name}.tags"
            and not (_spelt(each) == self._name and each.value == Literal(()))
        ]
        if tags:
            self._add(tuple(map(_quote, tags)))

    def _add(self, quoted: tuple[str, ...]) -> None:
        for at, option in enumerate(self.options):
            if _spelt(option) == self._name and isinstance(option.value, Literal):
                entries = (("tags", quoted), *option.value.entries)
                self.options[at] = Option(option.name, Literal(entries))
                return
        if self._own():
            # protoc refuses the whole option beside parts of it
            self.options.extend(Option(f"{self._written}.tags", tag) for tag in quoted)
        else:
            self.options.append(Option(self._written, Literal((("tags", quoted),))))


def find(text: str) -> list[Tagged]:
    """Every message and field of a .proto text, outer ones first."""
    return list(_entities(parse(text)))


def change(text: str, edit: Callable[[list[Tagged]], None]) -> str:
    """The text after an edit of its entities' tags."""
    file = parse(text)
    entities = list(_entities(file))
    edit(entities)
    if META not in file.imported() and any(each.tags for each in entities):
        file.imports.append(META)
    return render(file)


def _entities(file: File) -> Iterator[Tagged]:
    prefix = f"{file.package}." if file.package else ""
    is_hidden = "confluent" in file.package.split(".")[1:]
    for declared in file.types:
        if isinstance(declared, Message):
            for path, kind, options in _message(declared, f"{prefix}{declared.name}"):
                yield Tagged(path, kind, options, is_hidden)


def _message(message: Message, path: str) -> Iterator[tuple[str, str, list[Option]]]:
    yield path, "SR_RECORD", message.options
    members = [field for oneof in message.oneofs for field in oneof.fields]
    for field in (*message.fields, *members):
        yield f"{path}.{field.name}", "SR_FIELD", field.options
        if field.group is not None:
            # the body of a group has the path of its field, which stands for both
            _, *inner = _message(field.group, f"{path}.{field.name}")
            yield from inner
    for nested in message.types:
        if isinstance(nested, Message):
            yield from _message(nested, f"{path}.{nested.name}")


def _spelt(option: Option) -> str:
    return option.name.replace("(.", "(")


def _tags_of(option: Option, name: str) -> Iterator[str]:
    if _spelt(option) == f"{name}.tags":
        yield from _texts(option.value)
    elif _spelt(option) == name and isinstance(option.value, Literal):
        for key, value in option.value.entries:
            if key == "tags":
                yield from _texts(value)


def _quote(tag: str) -> str:
    """A tag as a string literal."""
    if not tag.isprintable():
        raise SchemaInvalidError("a tag holds a character that cannot be printed")
    return quote(tag)


def _texts(value: Constant) -> Iterator[str]:
    if isinstance(value, str):
        yield decode(value[1:-1]).decode("utf-8", "replace")
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)

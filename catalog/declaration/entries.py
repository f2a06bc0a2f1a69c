"""YAML read into entries that know the line of every key, and collect complaints about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from catalog.errors import Complaint, Place

MAX_BYTES = 5 * 1024 * 1024
_DEPTH = 30
_WORDS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:seq": "a list",
    "tag:yaml.org,2002:map": "keys with values",
}


def _word(node: yaml.Node) -> str:
    return _WORDS.get(node.tag, node.tag)


@dataclass(frozen=True)
class Source:
    """One file while it is read, and the list that every complaint about the reading goes to."""

    file: str
    complaints: list[Complaint]

    def place(self, node: yaml.Node) -> Place:
        """Return the line that a node begins at."""
        return Place(self.file, node.start_mark.line + 1)

    def complain(self, node: yaml.Node, message: str) -> None:
        """Take down what is wrong at a node."""
        self.complaints.append(Complaint(self.place(node), message))

    def pairs(self, node: yaml.MappingNode) -> dict[str, tuple[Place, yaml.Node]]:
        """Return a mapping's keys with the line of each; a key given twice is a complaint."""
        found: dict[str, tuple[Place, yaml.Node]] = {}
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                self.complain(key, f"a key must be text; found {_word(key)}: quote it")
            elif key.value in found:
                first = found[key.value][0].line
                self.complain(key, f"key {key.value!r} is given twice (first in line {first})")
            else:
                found[key.value] = (self.place(key), value)
        return found


class _Loader(yaml.SafeLoader):
    """Composes trees alone: a few lines of aliases spell a value that fills the memory."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node that is no alias."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # PyYAML's
            raise yaml.composer.ComposerError(None, None, "write an alias out in full", mark)
        return super().compose_node(parent, index)


def compose(path: Path, source: Source) -> yaml.Node | None:
    """Return the root node of a file; one that is no YAML or not readable is a complaint."""
    try:
        if path.stat().st_size > MAX_BYTES:
            source.complaints.append(Complaint(Place(source.file, 1), "larger than 5 MiB"))
            return None
        root: yaml.Node | None = yaml.compose(path.read_text("utf-8"), _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        reason = ": ".join(part for part in (error.context, error.problem) if part)
        source.complaints.append(Complaint(Place(source.file, line), f"not YAML: {reason}"))
    except yaml.YAMLError as error:
        source.complaints.append(Complaint(Place(source.file, 1), f"not YAML: {error}"))
    except RecursionError:
        source.complaints.append(Complaint(Place(source.file, 1), "nested too deeply"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        source.complaints.append(Complaint(Place(source.file, line), "not UTF-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        source.complaints.append(Complaint(Place(source.file, 1), f"cannot be read: {reason}"))
    else:
        return root
    return None


def _find_places(
    node: yaml.Node, source: Source, path: tuple[str, ...] = ()
) -> dict[tuple[str, ...], Place] | None:
    """Return the line of every key inside a node by its path; `None` when it is too deep."""
    if len(path) > _DEPTH:
        source.complain(node, "nested too deeply")
        return None
    places: dict[tuple[str, ...], Place] = {}
    children: list[tuple[str, Place, yaml.Node]] = []
    if isinstance(node, yaml.SequenceNode):
        children = [
            (str(index), source.place(child), child) for index, child in enumerate(node.value)
        ]
    elif isinstance(node, yaml.MappingNode):
        children = [(key, place, child) for key, (place, child) in source.pairs(node).items()]
    for key, place, child in children:
        inner = _find_places(child, source, (*path, key))
        if inner is None:
            return None
        places[*path, key] = place
        places |= inner
    return places


@dataclass(frozen=True)
class Entry:
    """One item of a section: its values as YAML has them, and the line of each key.

    Its readers never raise: what is wrong is taken down with its line, and an empty value returned.
    Whoever asked for the reading refuses the whole declaration when anything was taken down.
    """

    values: Mapping[str, Any]
    # the line of each key by its path: ("recognised_by", "groups", "0")
    places: Mapping[tuple[str, ...], Place]
    place: Place
    complaints: list[Complaint]

    def complain(self, message: str, *path: str) -> None:
        """Take down what is wrong with the entry, or with what one of its keys holds."""
        self.complaints.append(Complaint(self.line_of(*path), message))

    def line_of(self, *path: str) -> Place:
        """Return the line of a key (of a key …); that of the entry when it has no such key."""
        return self.places.get(path, self.place)

    def inner(self, key: str) -> "Entry":
        """Return what a key holds as an entry of its own; empty when there is no such key."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self._wrong(key, "keys with values", value)
            value = {}
        places = {path[1:]: place for path, place in self.places.items() if path[0] == key}
        return Entry(value, places, self.line_of(key), self.complaints)

    def expect(self, required: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Complain about keys that are missing or unknown."""
        wanted = list(required)
        known = [*wanted, *optional]
        for key in self.values:
            if key not in known:
                self.complain(f"unknown key {key!r}{guess(key, known)}", key)
        for key in wanted:
            if key not in self.values:
                self.complain(f"key {key!r} is missing")

    def text(self, key: str, default: str = "", most: int | None = None) -> str:
        """Return a text, at most `most` characters long."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            self._wrong(key, "text", value)
            return default
        if most is not None and len(value) > most:
            self.complain(f"{key!r} is longer than {most} characters", key)
            return default
        return value

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        """Return a text that is one of `choices`."""
        value = self.text(key, default)
        if value not in choices:
            self.complain(f"{key} {value!r} is none of {', '.join(choices)}", key)
            return default
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            self._wrong(key, "true or false", value)
            return default
        return value

    def texts(self, key: str) -> list[str]:
        """Return a list of texts, none of them empty or given twice."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
            self._wrong(key, "a list of texts", value)
            return []
        if "" in value or len(set(value)) < len(value):
            self.complain(f"{key!r} holds an empty text or the same twice", key)
            return []
        return list(value)

    def _wrong(self, key: str, wanted: str, value: object) -> None:
        self.complain(f"{key!r} must be {wanted}; found {_found(value)}", key)


def _found(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{str(value).lower()} (quote it if text is meant)"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list):
        return "a list"
    return repr(value) if isinstance(value, str) else f"{value} (quote it if text is meant)"


def guess(word: str, known: Sequence[str]) -> str:
    """Return `; did you mean …?` for a likely slip, else the words that are known."""
    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def read_entry(node: yaml.Node, source: Source) -> Entry | None:
    """Return one item of a section; anything but a tree of keys with values is a complaint."""
    if not isinstance(node, yaml.MappingNode):
        source.complain(node, f"expected keys with values; found {_word(node)}")
        return None
    places = _find_places(node, source)
    if places is None:
        return None
    try:
        values = yaml.constructor.SafeConstructor().construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or node.start_mark
        place = Place(source.file, mark.line + 1)
        source.complaints.append(Complaint(place, error.problem or "no plain value"))
        return None
    except (ValueError, TypeError) as error:
        source.complain(node, str(error))
        return None
    return Entry(
        {str(key): values[key] for key in values}, places, source.place(node), source.complaints
    )

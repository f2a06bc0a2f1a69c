"""Trying a schema: everything that registering it would say and do, without registering it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.actions.lookup import find_equal
from registry.actions.reading import locate, read_version, subject_version, versions_of
from registry.actions.scopes import config_in_scope
from registry.actions.submission import Submission, parse_submission
from registry.actions.writing import check_name, check_writable
from registry.entities import SubjectVersion
from registry.errors import (
    NotPermittedError,
    RegistryError,
    SubjectInvalidError,
    VersionInvalidError,
)
from registry.formats.contract import Parsed, SchemaInvalidError
from registry.identity import Reference
from registry.naming import SubjectName
from registry.panels.changes import Comparison, compare
from registry.panels.fields import indented
from registry.panels.history import Earlier, read_earlier
from registry.panels.inheritance import Settings, settings_of

# where a parser says it is: "line 3 column 5" (JSON and protoc's words), "3:5:" (protoc's marks)
_PLACE = re.compile(r"line (\d+),? column (\d+)|(?:\A|\s)(\d+):(\d+):")
_PLACED = re.compile(
    r":? ?(?:line \d+ column \d+ \(char \d+\)|\(at line \d+ column \d+\))\Z|\A\d+:\d+: "
)
_AROUND = 2
_LONGEST_LINE = 160


@dataclass(frozen=True)
class Attempt:
    """What was typed into the form; `references` is a JSON list as the API takes it."""

    subject: str = ""
    format: str = "AVRO"
    text: str = ""
    references: str = ""


@dataclass(frozen=True)
class Line:
    """One line around an error; `at` counts the characters before the place, if it is in here."""

    number: int
    text: str
    at: int | None = None

    @property
    def pointer(self) -> str:
        """A mark under the place."""
        return "" if self.at is None else " " * self.at + "^"


@dataclass(frozen=True)
class Problem:
    """Why a form cannot be tried: which field (subject, text, references), what, and where."""

    field: str
    message: str
    where: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What registering would do.

    `verdict` is accepted, refused, unchanged (it is `equal` already) or unknown; `reason` says why;
    `comparison` is with the newest live version and None for a first one.
    """

    verdict: str
    reason: str
    settings: Settings
    equal: SubjectVersion | None = None
    latest: int | None = None
    comparison: Comparison | None = None


class FormError(ValueError):
    """What was typed cannot be tried."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_attempt(typed: Mapping[str, str]) -> Attempt:
    """Take what a form sent, line ends as Unix has them; nothing is checked yet."""
    return Attempt(
        subject=typed.get("subject", "").strip(),
        format=typed.get("format", "AVRO"),
        text=typed.get("schema", "").replace("\r\n", "\n"),
        references=typed.get("references", "").strip(),
    )


def begin_with(subject: str, *, like: str = "", version: str = "") -> Attempt:
    """The form before anything was typed: a subject's newest schema, if any, to be changed.

    `like` names another subject, of another context say, whose schema is to be tried here.
    """
    name = SubjectName.read(like or subject)
    if not name.is_valid or not name.name:
        return Attempt(subject=subject)
    rows = versions_of(locate(name), deleted=bool(version))
    if version.isdecimal():
        rows = rows.filter(version=min(int(version[:18]), 2**31 - 1))
    row = rows.last()
    if row is None:
        return Attempt(subject=subject)
    found = subject_version(row)
    schema = found.schema
    references = [
        {"name": each.name, "subject": each.subject, "version": each.version}
        for each in schema.references
    ]
    return Attempt(
        subject=subject if like else str(found.subject),
        format=schema.format,
        text=schema.text if schema.format == "PROTOBUF" else indented(schema.text),
        references=json.dumps(references) if references else "",
    )


def try_schema(attempt: Attempt) -> Outcome:
    """Judge an attempt as a registration would be; FormError where it cannot be read."""
    name = _subject(attempt.subject)
    submission = Submission(attempt.text, attempt.format, _references(attempt.references))
    parsed = _parse(submission, name.context)
    settings = settings_of(name)
    equal = find_equal(name, submission, parsed, config_in_scope(name))
    if equal is not None:
        found = subject_version(equal)
        reason = f"it is version {found.version} already, with id {found.schema.id}"
        return Outcome("unchanged", reason, settings, equal=found, latest=found.version)
    return _judge(name, parsed, settings)


def _judge(name: SubjectName, parsed: Parsed, settings: Settings) -> Outcome:
    history = read_earlier(name, group=settings.group)
    latest = next(iter(history.schemas), None)
    comparison = _compare(parsed, history, settings)
    verdict, reason = _decide(name, settings, latest, comparison)
    return Outcome(verdict, reason, settings, latest=latest, comparison=comparison)


def _decide(
    name: SubjectName, settings: Settings, latest: int | None, comparison: Comparison | None
) -> tuple[str, str]:
    mode, level = settings.mode, settings.rules.level
    try:
        check_writable(name, mode.value)
    except NotPermittedError:
        return "refused", f"the mode is {mode.value} ({mode.source})"
    if mode.value == "IMPORT":
        return "refused", f"the mode is IMPORT ({mode.source}), which asks for ids of one's own"
    if latest is None:
        return "accepted", "it would be the first version"
    said = f"the level in force, {level} ({settings.level.source})"
    state = comparison.state_of(level) if comparison else "unknown"
    words = {"compatible": ("accepted", "allows it"), "breaking": ("refused", "forbids it")}
    verdict, does = words.get(state, ("unknown", "could not be decided here"))
    return verdict, f"{said}, {does}"


def _compare(parsed: Parsed, history: Earlier, settings: Settings) -> Comparison | None:
    base = next(((v, read) for v, read in history.schemas.items() if read is not None), None)
    if base is None:
        return None
    return compare(parsed, base, history.schemas, settings.rules, unread=history.unread)


def _subject(text: str) -> SubjectName:
    if not text:
        raise FormError(Problem("subject", "Name the subject that the schema would join."))
    name = SubjectName.read(text)
    try:
        check_name(name)
    except SubjectInvalidError as error:
        raise FormError(Problem("subject", str(error))) from error
    return locate(name)


def _references(text: str) -> tuple[Reference, ...]:
    if not text:
        return ()
    try:
        read = json.loads(text)
        return tuple(_reference(each) for each in read)
    except (ValueError, TypeError, KeyError, RecursionError, VersionInvalidError) as error:
        message = f"A JSON list of objects with name, subject and version is needed: {error}"
        raise FormError(Problem("references", message)) from error


def _reference(each: Any) -> Reference:
    name = SubjectName.read(str(each["subject"]))
    if not name.is_valid:
        raise ValueError(f"{name} is no subject")
    return Reference(str(each["name"]), str(each["subject"]), read_version(str(each["version"])))


def _parse(submission: Submission, context: str) -> Parsed:
    if not submission.text.strip():
        raise FormError(Problem("text", "Type or paste a schema."))
    try:
        return parse_submission(submission, context)
    except RegistryError as error:
        cause = error.__cause__
        if isinstance(cause, SchemaInvalidError):
            raise FormError(_problem(cause, submission.text)) from error
        field = "references" if "reference" in str(error) else "text"
        raise FormError(Problem(field, str(error))) from error


def _problem(error: SchemaInvalidError, text: str) -> Problem:
    message = str(error)
    place = _PLACE.search(message)
    if place is None:
        said = message.removesuffix(f" (at {error.path})") if error.path else message
        return Problem("text", said, error.path)
    line, column = (int(each) for each in place.groups() if each)
    return Problem(
        "text",
        _PLACED.sub("", message),
        f"line {line}, column {column}",
        _excerpt(text, line, column),
    )


def _excerpt(text: str, line: int, column: int) -> tuple[Line, ...]:
    """The lines around a place; of a long line, the part that holds it."""
    lines = text.split("\n")
    found = []
    for number in range(max(1, line - _AROUND), min(len(lines), line + _AROUND) + 1):
        here = number == line
        start = max(0, column - _LONGEST_LINE // 2) if here else 0
        shown = lines[number - 1][start : start + _LONGEST_LINE].replace("\t", " ")
        at = min(max(0, column - 1 - start), len(shown)) if here else None
        found.append(Line(number, shown, at))
    return tuple(found)

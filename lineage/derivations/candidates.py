"""A candidate schema against what is registered: the verdict, and which fields change how."""

from dataclasses import dataclass
from datetime import datetime

from lineage.derivations.schemas import place_of, subject_of, typed_fields, version_at
from registry.actions import Submission, check_submission, config_in_scope, parse_submission
from registry.actions.reading import find_row, subject_version
from registry.naming import SubjectName
from registry.panels.changes import Change, diff
from registry.panels.fields import parsed_of
from registry.panels.history import topics_of


@dataclass(frozen=True)
class Candidate:
    """A schema that might be registered; without a format it has that of the newest version."""

    text: str
    format: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the registry says of a candidate, and how it differs from the version in force.

    `noticed` are the fields whose change readers may notice, each with its kind.
    """

    subject: str
    version: int | None
    level: str
    compatible: bool
    messages: tuple[str, ...]
    changes: tuple[Change, ...]
    noticed: dict[str, str]


_SILENT = frozenset({"doc", "tags"})


def topics_of_version(subject: str, version: str = "") -> list[str]:
    """Return the topics of a subject's schemas; raises the registry's errors for a missing one."""
    name = SubjectName.read(subject)
    find_row(name, version or "latest")
    return topics_of(name)


def judge(candidate: Candidate, topic: str, at: datetime | None) -> Verdict:
    """Ask the registry, and compare field by field. Raises the registry's errors."""
    name = SubjectName.read(candidate.subject) if candidate.subject else subject_of(topic)
    row = version_at(name, at)
    before = subject_version(row) if row else None
    submission = Submission(
        candidate.text,
        candidate.format or (before.schema.format if before else "AVRO"),
        before.schema.references if before else (),
    )
    judgement = check_submission(name, submission)
    after = parse_submission(submission, name.context)
    part = "key" if name.name.endswith("-key") else "value"
    changes = diff(parsed_of(before), after) if before else []
    noticed = {place_of(it.path, part): kind for it in changes if (kind := _kind(it))}
    if before is None:
        noticed = dict.fromkeys((field.path for field in typed_fields(after, part)), "add")
    return Verdict(
        subject=str(name),
        version=row.version if row else None,
        level=str(config_in_scope(name)["compatibilityLevel"]),
        compatible=judgement.compatible,
        messages=judgement.messages,
        changes=tuple(changes),
        noticed=noticed,
    )


def _kind(change: Change) -> str:
    """What readers notice of a change; nothing of a new field, nor of other words about one."""
    parts = {part.name: part for part in change.parts}
    if change.sign == "added" or set(parts) <= _SILENT:
        return ""
    if change.sign == "removed":
        return "drop"
    if "type" in parts or "detail" in parts:
        return "type"
    if "presence" in parts:
        return "optional" if parts["presence"].after == "optional" else "required"
    return "alter"

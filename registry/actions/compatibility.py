"""Compatibility of a candidate with a subject's history, and the messages that say why not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from django.conf import settings

from registry import formats
from registry.actions.inheritance import contract, with_text
from registry.actions.parsing import fields_of, parse_cached
from registry.actions.reading import (
    LATEST,
    find_row,
    read_version,
    schema_text,
    versions_of,
)
from registry.actions.scopes import config_in_scope
from registry.actions.submission import Submission, parse_submission
from registry.budget import Budget, OutOfTimeError
from registry.data_contract import Values, property_of, reserved_names
from registry.entities import SchemaText
from registry.errors import SchemaTooLargeError, SubjectNotFoundError, VersionNotFoundError
from registry.formats.contract import ComparisonTooLargeError, Difference, Parsed, Policy
from registry.models import Version
from registry.naming import SubjectName

_USUAL_HISTORY = 50
"""Versions to compare with for which the time of one comparison is added."""

LONGEST_SHOWN = 10_240
"""Characters of an earlier schema that a message holds."""


@dataclass(frozen=True)
class Judgement:
    """The verdict on one candidate; `messages` as Confluent's verbose answer gives them."""

    compatible: bool
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A parsed schema that would join a subject; its metadata decides its compatibility group."""

    parsed: Parsed
    metadata: Values | None = None


def differences(
    earlier: Parsed, candidate: Parsed, level: str, policy: Policy = "STRICT"
) -> list[Difference]:
    """Every difference, in the directions that the level asks for; old and new by registration."""
    if earlier.format != candidate.format:
        words = "Incompatible because of different schema type"
        return [Difference("DIFFERENT_SCHEMA_TYPE", "", words, compatible=False)]
    kind = formats.get(candidate.format)
    found: list[Difference] = []
    # FULL asks the earlier schema first, as Avro's and Confluent's validators do
    if level.startswith(("FORWARD", "FULL")):
        swapped = kind.compare(candidate, earlier, policy)
        found += [_swap_words(each) for each in swapped if not each.historical]
    if level.startswith(("BACKWARD", "FULL")):
        found += kind.compare(earlier, candidate, policy)
    return found


def _swap_words(difference: Difference) -> Difference:
    """A comparison the other way round calls the candidate old: put the words right."""
    text = difference.description.replace("new schema", "\0").replace("old schema", "new schema")
    return replace(difference, description=text.replace("\0", "old schema"))


def relevant_history(name: SubjectName, config: dict[str, Any]) -> list[Version]:
    """The live versions that a comparison may need, oldest first; the latest is always the last."""
    rows = versions_of(name)
    if str(config["compatibilityLevel"]).endswith("_TRANSITIVE") or config.get(
        "compatibilityGroup"
    ):
        return list(rows)
    latest = rows.last()
    return [] if latest is None else [latest]


def judge(candidate: Candidate, history: Sequence[Version], config: dict[str, Any]) -> Judgement:
    """Compare with the versions that the level names, the newest first; stop at the first break."""
    if config["compatibilityLevel"] == "NONE":
        return Judgement(compatible=True)
    newest = True
    budget = Budget(settings.REGISTRY_MAX_SECONDS * (1 + len(history) / _USUAL_HISTORY))
    for earlier in _compared(candidate, history, config):
        schema = schema_text(earlier.schema)
        broken = _breaks(candidate, (schema, earlier.version), config, budget)
        if newest:
            broken += _reserved(candidate, schema.metadata, config)
        if broken:
            old = (f"{{oldSchemaVersion: {earlier.version}}}", _old_schema(schema.text))
            return _incompatible(candidate, broken, old, config)
        newest = False
    broken = _reserved(candidate, None, config) if newest else []
    return _incompatible(candidate, broken, (), config) if broken else Judgement(compatible=True)


def _breaks(
    candidate: Candidate,
    earlier: tuple[SchemaText, int],
    config: Mapping[str, Any],
    budget: Budget,
) -> list[Difference]:
    """What is incompatible between an earlier version and the candidate."""
    schema, version = earlier
    policy = cast("Policy", config.get("compatibilityPolicy") or "STRICT")
    level = str(config["compatibilityLevel"])
    parsed = parse_cached(schema.format, schema.text, schema.dependencies)
    try:
        found = budget.spend(lambda: differences(parsed, candidate.parsed, level, policy))
    except (RecursionError, ComparisonTooLargeError, OutOfTimeError):
        message = f"Schema is too large to be compared with version {version}"
        raise SchemaTooLargeError(message) from None
    return [each for each in found if not each.compatible]


def _reserved(
    candidate: Candidate, before: Values | None, config: Mapping[str, Any]
) -> list[Difference]:
    """Names that the metadata reserves and no longer does, or that fields have all the same.

    Part of every comparison for JSON Schema, for other formats where `validateFields` is set.
    """
    parsed = candidate.parsed
    if not config.get("validateFields") and (parsed.format != "JSON" or before is None):
        return []
    # without metadata of its own a candidate would inherit what was before
    now = reserved_names(before if candidate.metadata is None else candidate.metadata)
    fields = {each.path for each in fields_of(parsed)} if now else set()
    removed = sorted(reserved_names(before) - now)
    return [
        *(_reserved_difference("RESERVED_PROPERTY_REMOVED", name) for name in removed),
        *(
            _reserved_difference("RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY", name)
            for name in sorted(now & fields)
        ),
    ]


_RESERVED_WORDS = {
    "RESERVED_PROPERTY_REMOVED": "The new schema no longer reserves the field '{}'",
    "RESERVED_PROPERTY_CONFLICTS_WITH_PROPERTY": "The new schema has the reserved field '{}'",
}


def _reserved_difference(kind: str, name: str) -> Difference:
    words = _RESERVED_WORDS[kind].format(name)
    return Difference(kind, name, words, compatible=False, additional=name)


def _old_schema(text: str) -> str:
    """The earlier text as a message holds it; of a very long one its beginning."""
    if len(text) <= LONGEST_SHOWN:
        return f"{{oldSchema: '{text}'}}"
    return f"{{oldSchema: <truncated> '{text[:LONGEST_SHOWN]}...'}}"


def _incompatible(
    candidate: Candidate,
    broken: Sequence[Difference],
    old: Sequence[str],
    config: Mapping[str, Any],
) -> Judgement:
    validate = str(bool(config.get("validateFields"))).lower()
    level = config["compatibilityLevel"]
    return Judgement(
        compatible=False,
        messages=(
            *(_message(each, candidate.parsed.format) for each in broken),
            *old,
            f"{{validateFields: '{validate}', compatibility: '{level}'}}",
        ),
    )


def _compared(
    candidate: Candidate, history: Sequence[Version], config: dict[str, Any]
) -> Iterable[Version]:
    """The history of the candidate's group, newest first, as far as the level goes."""
    newest_first: Iterable[Version] = reversed(history)
    group = config.get("compatibilityGroup")
    if group:
        mine = property_of(candidate.metadata, group)
        newest_first = (
            each
            for each in newest_first
            if property_of(schema_text(each.schema, resolve=False).metadata, group) == mine
        )
    for each in newest_first:
        yield each
        if not str(config["compatibilityLevel"]).endswith("_TRANSITIVE"):
            return


def _message(difference: Difference, format_name: str) -> str:
    """One difference in the spelling of Confluent's server, which differs by format."""
    if difference.kind in {"DIFFERENT_SCHEMA_TYPE", "AMBIGUOUS_FIELD"}:
        return difference.description
    if format_name == "AVRO":
        return (
            f"{{errorType:'{difference.kind}', description:'{difference.description}', "
            f"additionalInfo:'{difference.additional}'}}"
        )
    return f'{{errorType:"{difference.kind}", description:"{difference.description}"}}'


def check_submission(
    name: SubjectName, submission: Submission, version: str | None = None
) -> Judgement:
    """Judge what a registration would come to: what is not sent is taken over as it would be."""
    config = config_in_scope(name)
    history = _history(name, version, config)
    latest = history[-1] if history else None
    submission = with_text(submission, latest)
    strict = config.get("validateNewSchemas") is not False
    parsed = parse_submission(submission, name.context, new=strict)
    metadata, _ = contract(submission, latest, config)
    return judge(Candidate(parsed, metadata), history, config)


def check_compatibility(
    subject: str | SubjectName, candidate: Candidate, version: int | str | None = None
) -> Judgement:
    """Judge a candidate against one version, or (None) against what the level asks for.

    A subject without versions accepts anything, except when a certain version is named.
    """
    name = subject if isinstance(subject, SubjectName) else SubjectName.read(subject)
    config = config_in_scope(name)
    return judge(candidate, _history(name, version, config), config)


def _history(
    name: SubjectName, version: int | str | None, config: dict[str, Any]
) -> Sequence[Version]:
    """What to judge by; nothing when the latest version is meant and there is none."""
    if version is None:
        return relevant_history(name, config)
    wanted = read_version(version)
    try:
        return [find_row(name, version)]
    except (SubjectNotFoundError, VersionNotFoundError):
        if wanted == LATEST:
            return []
        raise VersionNotFoundError(wanted) from None

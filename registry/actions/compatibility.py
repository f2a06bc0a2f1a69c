"""Compatibility of a candidate with a subject's history, and the messages that say why not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from registry import formats
from registry.actions.reading import (
    LATEST,
    find_row,
    locate,
    parse_cached,
    read_version,
    schema_text,
    versions_of,
)
from registry.actions.scopes import config_in_scope
from registry.data_contract import Values, property_of
from registry.errors import SchemaTooLargeError, SubjectNotFoundError, VersionNotFoundError
from registry.formats.contract import ComparisonTooLargeError, Difference, Parsed, Policy
from registry.models import Version
from registry.naming import SubjectName


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
    if level.startswith(("BACKWARD", "FULL")):
        found += kind.compare(earlier, candidate, policy)
    if level.startswith(("FORWARD", "FULL")):
        found += [_swap_words(each) for each in kind.compare(candidate, earlier, policy)]
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
    level = str(config["compatibilityLevel"])
    policy = cast("Policy", config.get("compatibilityPolicy") or "STRICT")
    if level == "NONE":
        return Judgement(compatible=True)
    for earlier in _compared(candidate, history, config):
        schema = schema_text(earlier.schema)
        parsed = parse_cached(schema.format, schema.text, schema.dependencies)
        try:
            found = differences(parsed, candidate.parsed, level, policy)
        except (RecursionError, ComparisonTooLargeError):
            message = f"Schema is too large to be compared with version {earlier.version}"
            raise SchemaTooLargeError(message) from None
        broken = [each for each in found if not each.compatible]
        if broken:
            validate = str(bool(config.get("validateFields"))).lower()
            return Judgement(
                compatible=False,
                messages=(
                    *(_message(each, parsed.format) for each in broken),
                    f"{{oldSchemaVersion: {earlier.version}}}",
                    f"{{oldSchema: '{schema.text}'}}",
                    f"{{validateFields: '{validate}', compatibility: '{level}'}}",
                ),
            )
    return Judgement(compatible=True)


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
    if difference.kind == "DIFFERENT_SCHEMA_TYPE":
        return difference.description
    if format_name == "AVRO":
        return (
            f"{{errorType:'{difference.kind}', description:'{difference.description}', "
            f"additionalInfo:'{difference.additional}'}}"
        )
    return f'{{errorType:"{difference.kind}", description:"{difference.description}"}}'


def check_compatibility(
    subject: str | SubjectName, candidate: Candidate, version: int | str | None = None
) -> Judgement:
    """Judge a candidate against one version, or (None) against what the level asks for.

    A subject without versions accepts anything, except when a certain version is named.
    """
    name = subject if isinstance(subject, SubjectName) else SubjectName.read(subject)
    config = config_in_scope(name)
    if version is None:
        return judge(candidate, relevant_history(locate(name), config), config)
    wanted = read_version(version)
    try:
        row = find_row(name, version)
    except (SubjectNotFoundError, VersionNotFoundError):
        if wanted == LATEST:
            return Judgement(compatible=True)
        raise VersionNotFoundError(wanted) from None
    return judge(candidate, [row], config)

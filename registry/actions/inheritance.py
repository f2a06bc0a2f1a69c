"""What a submission takes over: of the version before, and of the config's defaults."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from registry.actions.reading import schema_text
from registry.actions.submission import Submission
from registry.data_contract import (
    Values,
    merge_metadata,
    merge_rulesets,
    version_of,
    with_version,
)
from registry.errors import SchemaRefusedError
from registry.formats.contract import SchemaInvalidError
from registry.formats.tags import find_tags, retag
from registry.models import Version


def with_text(submission: Submission, latest: Version | None) -> Submission:
    """An empty text stands for the latest version's: at most metadata or rules change."""
    if submission.text.strip():
        return submission
    if latest is None:
        raise SchemaRefusedError("Empty schema")
    schema = schema_text(latest.schema, resolve=False)
    return replace(submission, text=schema.text, format=schema.format, references=schema.references)


def with_tags_of(submission: Submission, latest: Version | None) -> Submission:
    """The submission with the latest version's inline tags where it has the same entities."""
    if latest is None or latest.schema.format != submission.format:
        return submission
    text = submission.text
    for entity in find_tags(submission.format, latest.schema.text):
        try:
            text = retag(submission.format, text, {(entity.path, entity.kind): entity.tags}, {})
        except SchemaInvalidError:
            # the entity is gone, and its tags with it
            continue
    return replace(submission, text=text)


def contract(
    submission: Submission, latest: Version | None, config: Values
) -> tuple[Values | None, Values | None]:
    """Metadata and rule set: sent or else inherited, between the config's default and override."""
    before = schema_text(latest.schema, resolve=False) if latest else None
    metadata, ruleset = submission.metadata, submission.ruleset
    if metadata is None and before is not None:
        metadata = before.metadata
    if ruleset is None and before is not None:
        ruleset = before.ruleset
    metadata = merge_metadata(config.get("defaultMetadata"), metadata)
    ruleset = merge_rulesets(config.get("defaultRuleSet"), ruleset)
    return (
        merge_metadata(metadata, config.get("overrideMetadata")),
        merge_rulesets(ruleset, config.get("overrideRuleSet")),
    )


def naming_version(
    submission: Submission, metadata: Values | None, seen: Sequence[tuple[int, Any, int]]
) -> tuple[Submission, Values | None]:
    """The version that the metadata asks for, asked for; and the metadata naming the next one."""
    following = (seen[-1][2] if seen else 0) + 1
    wanted = submission.version or version_of(submission.metadata)
    return replace(submission, version=wanted), with_version(metadata, following)

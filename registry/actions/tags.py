"""Changing a version's tags, metadata or rules; the outcome is the subject's next version."""

from dataclasses import dataclass, replace

from registry.actions.reading import find_own_row, locate, schema_text
from registry.actions.register import register
from registry.actions.submission import Submission
from registry.data_contract import RULE_LISTS, Values, merge_rulesets
from registry.entities import SubjectVersion
from registry.errors import SchemaRefusedError
from registry.formats.contract import SchemaInvalidError
from registry.formats.tags import Tags, retag
from registry.naming import SubjectName


@dataclass(frozen=True)
class Change:
    """What to change; what is absent stays as it is."""

    add: Tags
    remove: Tags
    metadata: Values | None = None
    ruleset: Values | None = None
    rules_to_merge: Values | None = None
    rules_to_remove: tuple[str, ...] = ()
    version: int | None = None


def apply_tags(submission: Submission, add: Tags, remove: Tags) -> Submission:
    """The submission with its text's tags changed."""
    try:
        text = retag(submission.format, submission.text, add, remove)
    except SchemaInvalidError as wrong:
        raise SchemaRefusedError(f"Invalid schema, details: {wrong}") from wrong
    return replace(submission, text=text)


def of_version(name: SubjectName, version: str) -> Submission:
    """A version as it would be sent again."""
    schema = schema_text(find_own_row(name, version).schema, resolve=False)
    return Submission(
        text=schema.text,
        format=schema.format,
        references=schema.references,
        metadata=schema.metadata,
        ruleset=schema.ruleset,
    )


def change(name: SubjectName, version: str, wanted: Change, who: str = "") -> SubjectVersion:
    """Apply the change to a version and register the outcome."""
    name = locate(name)
    submission = apply_tags(of_version(name, version), wanted.add, wanted.remove)
    ruleset = submission.ruleset if wanted.ruleset is None else wanted.ruleset
    ruleset = _without(merge_rulesets(ruleset, wanted.rules_to_merge), wanted.rules_to_remove)
    metadata = submission.metadata if wanted.metadata is None else wanted.metadata
    outcome = replace(submission, metadata=metadata, ruleset=ruleset, version=wanted.version)
    return register(name, outcome, who)


def _without(ruleset: Values | None, names: tuple[str, ...]) -> Values | None:
    if ruleset is None or not names:
        return ruleset
    kept = {
        key: [rule for rule in ruleset[key] if rule["name"] not in names]
        for key in RULE_LISTS
        if key in ruleset
    }
    return {**ruleset, **kept}

"""Looking a schema up under a subject: which version is this text?"""

from collections.abc import Container

from django.db.models import QuerySet

from registry.actions.reading import (
    has_versions,
    in_style,
    namesakes,
    schema_text,
    subject_version,
    versions_of,
)
from registry.actions.scopes import config_in_scope
from registry.actions.submission import Submission, parse_submission
from registry.actions.writing import check_name
from registry.data_contract import (
    VERSION,
    Values,
    canonical,
    restore,
    version_of,
    without_property,
)
from registry.entities import SubjectVersion
from registry.errors import SchemaNotFoundError, SchemaRefusedError, SubjectNotFoundError
from registry.formats.contract import Parsed
from registry.formats.styles import has_style
from registry.identity import digest_text
from registry.models import Version
from registry.naming import SubjectName

MOST_RESOLVED = 100
"""Versions with references that one look-up writes out, the newest first."""


def stored_text(parsed: Parsed, submission: Submission, config: Values) -> str:
    """The text that would be stored: normal when asked for in the request or configured."""
    return parsed.normal if submission.normalize or config.get("normalize") else parsed.text


def find_equal(
    name: SubjectName,
    submission: Submission,
    parsed: Parsed,
    config: Values,
    *,
    deleted: bool = False,
) -> Version | None:
    """The newest version with this content; absent metadata and rules match any.

    The stored text is compared first, then (when normalising) the normal form; an Avro text
    without references also equals a version that has them, when its references are written out.
    """
    texts = dict.fromkeys((parsed.text, stored_text(parsed, submission, config)))
    digests = [digest_text(parsed.format, text, submission.references) for text in texts]
    rows = versions_of(name, deleted=deleted)
    if submission.ruleset is not None:
        rows = rows.filter(schema__ruleset=canonical(submission.ruleset))
    for row in rows.filter(schema__text_digest__in=digests).reverse():
        if _has_metadata(row, submission.metadata):
            return row
    if submission.references or not has_style(parsed.format, "resolved"):
        return None
    return _find_resolved(rows, submission, texts)


def _find_resolved(
    rows: QuerySet[Version], submission: Submission, texts: Container[str]
) -> Version | None:
    """The newest version whose text, its references written out, is one of the texts."""
    referring = rows.filter(schema__references__position=0, schema__format=submission.format)
    for row in referring.prefetch_related("schema__references").reverse()[:MOST_RESOLVED]:
        if not _has_metadata(row, submission.metadata):
            continue
        if in_style(schema_text(row.schema), "resolved").text in texts:
            return row
    return None


def _has_metadata(row: Version, wanted: Values | None) -> bool:
    """Whether a version has this metadata; its version property only counts when it is sent."""
    if wanted is None:
        return True
    found = restore(row.schema.metadata)
    if version_of(wanted) is None:
        found, wanted = without_property(found, VERSION), without_property(wanted, VERSION)
    return canonical(found) == canonical(wanted)


def look_up(
    subject: SubjectName,
    submission: Submission,
    *,
    deleted: bool = False,
    version: int | None = None,
) -> SubjectVersion:
    """The version that equals the submission, or only the one named if it does.

    A plain subject is looked for in the default context and then in every other.
    """
    check_name(subject)
    known = has_versions(subject, deleted=deleted)
    homes = [subject] if known else []
    homes += [each for each in namesakes(subject) if has_versions(each, deleted=deleted)]
    refused: SchemaRefusedError | None = None
    for name in homes:
        try:
            parsed = parse_submission(submission, name.context, new=False)
        except SchemaRefusedError as error:
            # its references may still be there in another context
            refused = refused or error
            continue
        found = find_equal(name, submission, parsed, config_in_scope(name), deleted=deleted)
        if found is not None and version in {None, found.version}:
            return subject_version(found)
    if refused is not None:
        raise refused
    raise SchemaNotFoundError if known else SubjectNotFoundError(subject)

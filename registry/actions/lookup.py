"""Looking a schema up under a subject: which version is this text?"""

from registry.actions.reading import locate, subject_version, versions_of
from registry.actions.scopes import config_in_scope
from registry.actions.submission import Submission, parse_submission
from registry.actions.writing import check_name
from registry.data_contract import Values, canonical
from registry.entities import SubjectVersion
from registry.errors import SchemaNotFoundError, SubjectNotFoundError
from registry.formats.contract import Parsed
from registry.identity import digest_text
from registry.models import Version
from registry.naming import SubjectName


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

    The stored text is compared first, then (when normalising) the normal form.
    """
    texts = dict.fromkeys((parsed.text, stored_text(parsed, submission, config)))
    digests = [digest_text(parsed.format, text, submission.references) for text in texts]
    rows = versions_of(name, deleted=deleted).filter(schema__text_digest__in=digests)
    if submission.metadata is not None:
        rows = rows.filter(schema__metadata=canonical(submission.metadata))
    if submission.ruleset is not None:
        rows = rows.filter(schema__ruleset=canonical(submission.ruleset))
    return rows.last()


def look_up(
    subject: SubjectName,
    submission: Submission,
    *,
    deleted: bool = False,
    version: int | None = None,
) -> SubjectVersion:
    """The version that equals the submission, or only the one named if it does."""
    check_name(subject)
    name = locate(subject)
    config = config_in_scope(name)
    if not versions_of(name, deleted=deleted).exists():
        raise SubjectNotFoundError(subject)
    parsed = parse_submission(submission, name.context)
    found = find_equal(name, submission, parsed, config, deleted=deleted)
    if found is None or (version is not None and found.version != version):
        raise SchemaNotFoundError
    return subject_version(found)

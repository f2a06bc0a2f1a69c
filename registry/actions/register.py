"""Registering a schema: look up, compare outside the lock, then lock, re-check, allocate, insert.

Locks are taken in one order, context before subject, and held for a few row operations only. When
the subject's history moved between comparison and lock, everything is done again; the last time
inside the lock, so that a registration always ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.actions.compatibility import Candidate, judge, relevant_history
from registry.actions.inheritance import contract, naming_version, with_tags_of, with_text
from registry.actions.lookup import find_equal, stored_text
from registry.actions.reading import list_referrers, subject_version, versions_of
from registry.actions.scopes import config_in_scope, mode_in_scope
from registry.actions.submission import Submission, parse_submission
from registry.actions.writing import check_name, check_writable, lock_context, lock_subject
from registry.data_contract import VERSION, Values, canonical, version_of, without_property
from registry.entities import SubjectVersion
from registry.errors import (
    IdMismatchError,
    IncompatibleError,
    NotPermittedError,
    SchemaRefusedError,
)
from registry.formats.contract import Parsed
from registry.identity import digest_text, fingerprint, guid
from registry.models import Schema, SchemaContext, SchemaReference, Version
from registry.naming import SubjectName

ATTEMPTS = 3


@dataclass(frozen=True)
class _Prepared:
    """A candidate that passed every check against the history that was seen."""

    submission: Submission
    parsed: Parsed
    text: str
    metadata: Values | None
    ruleset: Values | None
    seen: tuple[tuple[int, datetime | None, int], ...] = field(repr=False)


class _HistoryMovedError(Exception):
    """The subject's versions, or a referenced one, are not what the candidate was compared with."""


def register(
    subject: str | SubjectName, submission: Submission, registered_by: str = ""
) -> SubjectVersion:
    """Register a schema under a subject, or answer the version that it already is."""
    name = subject if isinstance(subject, SubjectName) else SubjectName.read(subject)
    check_name(name)
    for _ in range(ATTEMPTS):
        found = _prepare(name, submission)
        if isinstance(found, SubjectVersion):
            return found
        try:
            with transaction.atomic():
                return _insert(name, found, registered_by)
        except (_HistoryMovedError, IntegrityError):
            continue
    with transaction.atomic():
        lock_subject(lock_context(name.context), name.name)
        found = _prepare(name, submission)
        if isinstance(found, SubjectVersion):
            return found
        return _insert(name, found, registered_by)


def _check_mode(name: SubjectName, submission: Submission) -> str:
    mode = mode_in_scope(name)
    check_writable(name, mode)
    if submission.id is not None and mode != "IMPORT":
        raise NotPermittedError(f"Subject {name} in context {name.context} is not in import mode")
    if submission.id is None and mode == "IMPORT":
        raise NotPermittedError(
            f"Subject {name} in context {name.context} is not in read-write mode"
        )
    return mode


def _prepare(name: SubjectName, submission: Submission) -> _Prepared | SubjectVersion:
    """Everything that needs no lock: parse, look up, merge, compare."""
    config = config_in_scope(name)
    # what is seen is read before what is compared: a version that comes later shows in the lock
    rows = versions_of(name, deleted=True).values_list("pk", "deleted_at", "version")
    seen = tuple(rows)
    existing = _find_existing(name, submission, config)
    # most registrations are of what is there already, which no mode forbids
    if existing is not None and submission.id in {None, existing.schema.number}:
        return subject_version(existing)
    imported = _check_mode(name, submission) == "IMPORT"
    if existing is not None and submission.id is not None:
        raise IdMismatchError(existing.schema.number, submission.id)
    history = relevant_history(name, config)
    latest = history[-1] if history else None
    sent, submission = submission, with_text(submission, latest)
    if submission.propagate_tags:
        submission = with_tags_of(submission, latest)
    strict = not imported and config.get("validateNewSchemas") is not False
    parsed = parse_submission(submission, name.context, new=strict)
    metadata, ruleset = submission.metadata, submission.ruleset
    if not imported:
        metadata, ruleset = contract(submission, latest, config)
        whole = replace(submission, metadata=metadata, ruleset=ruleset)
        existing = _find_existing_whole(name, sent, whole, config)
        if existing is not None:
            return subject_version(existing)
        submission, metadata = naming_version(submission, metadata, seen)
        judgement = judge(Candidate(parsed, metadata), history, config)
        if not judgement.compatible and not submission.force:
            raise IncompatibleError(name, judgement.messages)
    text = stored_text(parsed, submission, config)
    return _Prepared(submission, parsed, text, metadata, ruleset, seen)


def _find_existing_whole(
    name: SubjectName, sent: Submission, whole: Submission, config: Values
) -> Version | None:
    """The live version that the submission is once it took over what it did not say itself."""
    if sent.version is not None or version_of(sent.metadata) is not None:
        return None
    whole = replace(whole, metadata=without_property(whole.metadata, VERSION))
    same = (whole.text, whole.metadata, whole.ruleset) == (sent.text, sent.metadata, sent.ruleset)
    return None if same else _find_existing(name, whole, config)


def _find_existing(name: SubjectName, submission: Submission, config: Values) -> Version | None:
    """The live version that the submission already is; an empty text is none."""
    if not submission.text.strip():
        return None
    parsed = parse_submission(submission, name.context, new=False)
    return find_equal(name, submission, parsed, config)


def _insert(name: SubjectName, prepared: _Prepared, registered_by: str) -> SubjectVersion:
    """Inside the transaction: lock, see that nothing moved, allocate, insert."""
    context = lock_context(name.context)
    subject = lock_subject(context, name.name)
    rows = tuple(versions_of(name, deleted=True).values_list("pk", "deleted_at", "version"))
    if rows != prepared.seen:
        raise _HistoryMovedError
    for each in prepared.submission.references:
        target = SubjectName.read(each.subject, name.context)
        if not versions_of(target, deleted=True).filter(version=each.version).exists():
            raise _HistoryMovedError
    version = _next_version(prepared.submission, [number for _, _, number in rows], name)
    schema = _schema_row(context, prepared)
    row = Version(
        subject=subject,
        version=version,
        schema=schema,
        registered_at=timezone.now(),
        registered_by=registered_by[:200],
    )
    Version.objects.filter(subject=subject, version=version).delete()
    row.save()
    _drop_deleted(name, row)
    return subject_version(row)


def _drop_deleted(name: SubjectName, row: Version) -> None:
    """Forget earlier, softly deleted versions of what is registered again; the id stays theirs."""
    before = Version.objects.filter(
        subject=row.subject, schema=row.schema, version__lt=row.version, deleted_at__isnull=False
    )
    for each in before:
        if not list_referrers(name, each.version, deleted=True):
            each.delete()


def _next_version(submission: Submission, taken: Sequence[int], name: SubjectName) -> int:
    following = (taken[-1] if taken else 0) + 1
    wanted = submission.version
    if wanted is None or wanted in {0, -1, following}:
        return following
    if submission.id is None:
        raise SchemaRefusedError("Version is not one more than previous version")
    if wanted in taken and versions_of(name).filter(version=wanted).exists():
        raise NotPermittedError(f"Overwrite of version {wanted} of {name} is not permitted.")
    return wanted


def _schema_row(context: SchemaContext, prepared: _Prepared) -> Schema:
    """The row of this content, with the id that it has, was given, or now gets."""
    submission = prepared.submission
    digest = digest_text(prepared.parsed.format, prepared.text, submission.references)
    metadata, ruleset = canonical(prepared.metadata), canonical(prepared.ruleset)
    identity = fingerprint(digest, metadata, ruleset)
    existing = Schema.objects.filter(context=context, fingerprint=identity).first()
    if existing is not None and submission.id in {None, existing.number}:
        return existing
    if existing is not None:
        # an imported history may hold one content under two ids: both are kept
        identity = fingerprint(identity, str(submission.id), "")
        if again := Schema.objects.filter(context=context, fingerprint=identity).first():
            return again
    schema = Schema(
        context=context,
        number=_allocate(context, submission.id),
        guid=guid(prepared.text, submission.references, prepared.metadata, prepared.ruleset),
        fingerprint=identity,
        text_digest=digest,
        format=prepared.parsed.format,
        text=prepared.text,
        metadata=metadata,
        ruleset=ruleset,
    )
    schema.save()
    SchemaReference.objects.bulk_create(
        SchemaReference(
            schema=schema,
            position=position,
            name=each.name,
            subject=each.subject,
            target=str(SubjectName.read(each.subject, context.name)),
            version=each.version,
        )
        for position, each in enumerate(submission.references)
    )
    return schema


def _allocate(context: SchemaContext, given: int | None) -> int:
    """The next id of the locked context, or the given one if no other schema holds it."""
    number = context.next_id if given is None else given
    if given is not None and Schema.objects.filter(context=context, number=given).exists():
        raise NotPermittedError(f"Overwrite new schema with id {given} is not permitted.")
    context.next_id = max(context.next_id, number + 1)
    context.save(update_fields=["next_id"])
    return number

"""What a deletion would do, said before it is done: what goes, and what forbids it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from registry.actions.reading import locate, versions_of
from registry.actions.scopes import mode_in_scope, own_config, own_mode
from registry.actions.writing import READ_ONLY
from registry.errors import SubjectNotFoundError, VersionNotFoundError
from registry.models import SchemaReference, Version
from registry.naming import SubjectName
from registry.panels.contract import Binding, bindings_of

MOST_SHOWN = 50


@dataclass(frozen=True)
class Blocker:
    """A version that refers to one of those that would go: it must go first."""

    subject: str
    version: int
    to: int


@dataclass(frozen=True)
class Deletion:
    """What would go, and what stands in the way; `version` is None for the whole subject.

    `lost` are the ids that nothing carries afterwards, so that records with them cannot be read;
    a soft deletion loses none.
    """

    subject: SubjectName
    version: int | None
    permanent: bool
    versions: tuple[int, ...]
    lost: tuple[int, ...]
    empties: bool
    resets: bool
    mode: str
    blockers: tuple[Blocker, ...]
    bindings: tuple[Binding, ...]
    live: tuple[int, ...] = ()

    @property
    def problem(self) -> str:
        """Why it would be refused; empty where nothing stands in the way."""
        if not self.versions:
            return "Nothing is left that could be deleted so."
        if self.mode in READ_ONLY:
            return f"The mode is {self.mode}: nothing can be deleted."
        if self.permanent and self.live:
            return "Only what was soft-deleted before can be deleted for good."
        if self.blockers:
            return "Other schemas refer to it, and would be unreadable without it."
        if self.bindings and self.version is None:
            return "A resource is bound to this subject: remove the association first."
        return ""

    @property
    def shown_versions(self) -> str:
        """The versions as one reads them: the first and the last of a long row."""
        numbers = [str(each) for each in self.versions]
        return ", ".join(numbers if len(numbers) <= 12 else [*numbers[:5], "…", *numbers[-5:]])


def foresee(subject: SubjectName, version: int | None, *, permanent: bool) -> Deletion:
    """Read what deleting a subject, or one version of it, would do."""
    name = locate(subject)
    rows = list(
        versions_of(name, deleted=True).values_list("version", "deleted_at", "schema__number", "pk")
    )
    if not rows:
        raise SubjectNotFoundError(name)
    if version is not None:
        rows = [row for row in rows if row[0] == version]
        if not rows:
            raise VersionNotFoundError(version)
    live = tuple(number for number, deleted_at, *_ in rows if deleted_at is None)
    doomed = rows if permanent else [row for row in rows if row[1] is None]
    keys = [row[3] for row in doomed]
    standing = versions_of(name).exclude(pk__in=keys).exists()
    return Deletion(
        subject=name,
        version=version,
        permanent=permanent,
        versions=tuple(row[0] for row in doomed),
        lost=_lost(keys) if permanent else (),
        empties=not standing,
        resets=not standing and (own_config(name) is not None or own_mode(name) is not None),
        mode=mode_in_scope(name),
        blockers=_blockers(name, [row[0] for row in doomed]),
        bindings=tuple(bindings_of(name)),
        live=live,
    )


def _lost(keys: Sequence[int]) -> tuple[int, ...]:
    """Ids that no version outside of those carries; a subject's own context is meant."""
    others = Version.objects.filter(schema=OuterRef("schema")).exclude(pk__in=keys)
    found = Version.objects.filter(pk__in=keys).filter(~Exists(others))
    return tuple(sorted(set(found.values_list("schema__number", flat=True))))


def _blockers(name: SubjectName, versions: Sequence[int]) -> tuple[Blocker, ...]:
    rows = Version.objects.filter(deleted_at__isnull=True).filter(
        schema__references__in=SchemaReference.objects.filter(
            target=str(name), version__in=versions
        )
    )
    found = rows.order_by("subject__context__name", "subject__name", "version").values_list(
        "subject__context__name", "subject__name", "version", "schema__references__version"
    )
    return tuple(
        Blocker(str(SubjectName(context, subject)), version, to)
        for context, subject, version, to in found.distinct()[:MOST_SHOWN]
    )

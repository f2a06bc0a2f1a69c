"""Bringing a snapshot in: ids and versions stay, and nothing that is here is replaced.

An import that was killed is simply made again: what is equal is passed over. Parsing is done before
the lock; a batch is one short transaction under the locks that registrations take.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.db import transaction

from registry.actions.writing import lock_context
from registry.models import SchemaContext
from registry.transfer.entries import Snapshot, VersionEntry, in_order
from registry.transfer.errors import EntryInvalidError
from registry.transfer.plan import Given, Judged, Plan
from registry.transfer.prepare import Preparer
from registry.transfer.report import Outcome, Report
from registry.transfer.scopes import import_scopes
from registry.transfer.store import Here
from registry.transfer.write import write

BATCH = 200

Progress = Callable[[int, int], None]
"""Told how many versions of how many are done."""


class Options(NamedTuple):
    """`dry_run` writes nothing; `update` takes deletions, configs and modes that differ."""

    dry_run: bool = False
    update: bool = False


def import_snapshot(
    snapshot: Snapshot,
    options: Options = Options(),  # noqa: B008  (immutable)
    progress: Progress = lambda _done, _total: None,
) -> Report:
    """Bring in everything of the snapshot that is not here; the report says what happened."""
    report = Report()
    report.add(Outcome("refused", where, reason) for where, reason in snapshot.problems)
    if not options.dry_run:
        _reserve(snapshot)
    versions = _Versions(snapshot, options)
    ordered = in_order(snapshot.versions)
    for start in range(0, len(ordered), BATCH):
        report.add(versions.take(ordered[start : start + BATCH]))
        progress(min(start + BATCH, len(ordered)), len(ordered))
    report.add(_still_here(snapshot))
    report.add(import_scopes(snapshot, write=not options.dry_run, update=options.update))
    return report


def _reserve(snapshot: Snapshot) -> None:
    """Make the contexts, and raise their counters: no id used there is ever given out here."""
    for name, next_id in sorted(snapshot.next_ids.items()):
        known = SchemaContext.objects.filter(name=name).first()
        listed = name not in snapshot.forgotten or (known is not None and known.listed)
        if known is not None and known.listed == listed and known.next_id >= next_id:
            continue
        with transaction.atomic():
            context = lock_context(name)
            context.next_id = max(context.next_id, next_id)
            context.listed = listed
            context.save(update_fields=["next_id", "listed"])


def _still_here(snapshot: Snapshot) -> list[Outcome]:
    """Versions that are here although the other registry deleted them for good."""
    outcomes = []
    ordered = sorted(snapshot.tombstones)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        wanted = [VersionEntry(name, version, 0, "", "") for name, version in batch]
        outcomes += [
            Outcome("different", str(present.entry), "deleted for good there, still here")
            for present in Here(wanted).versions.values()
        ]
    return outcomes


class _Versions:
    """Takes versions in, batch after batch."""

    def __init__(self, snapshot: Snapshot, options: Options) -> None:
        self._options = options
        self._preparer = Preparer(snapshot.versions)
        self._so_far = Given()

    def take(self, batch: Sequence[VersionEntry]) -> list[Outcome]:
        """Bring one batch in; outcomes in its order."""
        here = Here(batch)
        judged = [self._judge(entry, here) for entry in batch]
        plan = Plan(judged, here, self._so_far, update=self._options.update)
        if plan.writes and not self._options.dry_run:
            with transaction.atomic():
                names = sorted({entry.subject.context for entry in batch})
                contexts = {name: lock_context(name) for name in names}
                # what was seen without the lock may have moved
                plan = Plan(judged, Here(batch), self._so_far, update=self._options.update)
                write(plan, contexts)
        self._so_far.add(plan.given)
        return plan.outcomes

    def _judge(self, entry: VersionEntry, here: Here) -> Judged:
        """Say what the entry's schema is here; what is here already need not be parsed."""
        present = here.versions.get(entry.key)
        if present is not None and _is_same(entry, present.entry):
            return Judged(entry, present.content)
        try:
            return Judged(entry, self._preparer.prepare(entry))
        except EntryInvalidError as wrong:
            return Judged(entry, None, str(wrong))


def _is_same(one: VersionEntry, other: VersionEntry) -> bool:
    """Whether two entries carry the same schema, to the letter."""
    return (one.format, one.text, one.references, one.metadata, one.ruleset) == (
        other.format,
        other.text,
        other.references,
        other.metadata,
        other.ruleset,
    )

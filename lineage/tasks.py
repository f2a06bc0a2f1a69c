"""Jobs of lineage, started by the schedule."""

from celery import shared_task

from lineage.compaction import compact


@shared_task(name="lineage.tasks.compact_ledger", expires=3600, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def compact_ledger() -> None:
    """Compact what has become old since the last time."""
    compact()

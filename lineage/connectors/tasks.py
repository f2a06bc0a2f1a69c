"""Jobs of the connectors, started by the schedule."""

from celery import shared_task

from lineage.connectors import actions


@shared_task(name="connectors.start_due_runs", expires=50, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def start_due_runs() -> None:
    """Ask for the runs that definitions schedule; a connectors worker executes them."""
    actions.start_due_runs()

"""Jobs of deployments, started by the schedule."""

from celery import shared_task

from lineage.connectors.deployment.watching import watch


@shared_task(  # type: ignore[untyped-decorator]  # Celery has no types
    name="lineage.connectors.deployment.tasks.watch_deployments", expires=10, ignore_result=True
)
def watch_deployments() -> None:
    """Look at every deployment."""
    watch()

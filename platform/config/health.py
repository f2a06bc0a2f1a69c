"""Whether this process lives, and whether it can do its work: for probes and the supervisor.

Ready means that a registration would be kept: a write is committed and every migration is
applied. An unreachable Kafka only degrades the product, since the registry works without it.
"""

import time
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

Check = dict[str, Any]


def _check_migrations() -> Check:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        return {"ok": True}
    names = [f"{migration.app_label}.{migration.name}" for migration, _ in missing]
    return {"ok": False, "message": f"{len(names)} not applied, from {names[0]}"}


def _check_write() -> Check:
    begun = time.perf_counter()
    with transaction.atomic():
        apps.get_model("project", "Heartbeat").objects.update_or_create(
            pk=1, defaults={"beat_at": timezone.now()}
        )
    return {"ok": True, "milliseconds": round((time.perf_counter() - begun) * 1000, 1)}


def _check_clusters() -> Check:
    """Tell what the last attempt to reach each cluster found; no request ever waits for Kafka."""
    clusters = apps.get_model("catalog", "Cluster").objects.values_list("name", "state")
    states = {name: str(state) for name, state in clusters}
    return {"ok": "unreachable" not in states.values(), "clusters": states}


def _run(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except DatabaseError as error:
        return {"ok": False, "message": str(error).strip() or type(error).__name__}


@never_cache
@require_safe
def tell_live(_request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process answers at all."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def tell_ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when writes work, else 503; the body says what each check found."""
    checks = {
        "migrations": _run(_check_migrations),
        "write": _run(_check_write),
        "kafka": _run(_check_clusters),
    }
    if not (checks["migrations"]["ok"] and checks["write"]["ok"]):
        return JsonResponse({"status": "unready", "checks": checks}, status=503)
    status = "ready" if checks["kafka"]["ok"] else "degraded"
    return JsonResponse({"status": status, "checks": checks})


urlpatterns = [
    path("health/live", tell_live, name="health-live"),
    path("health/ready", tell_ready, name="health-ready"),
]

"""Addresses of connectors and runs."""

from django.urls import path

from lineage.connectors.api.checks import CheckConnector
from lineage.connectors.api.operating import (
    DescribeConnector,
    ReplayQuarantine,
    RollBackConnector,
)
from lineage.connectors.api.views import (
    CancelRun,
    DescribeRun,
    DropGeneration,
    ListConnectors,
    ListGenerations,
    ListQuarantine,
    ListRuns,
    PauseConnector,
    RegenerateConnector,
    ResumeConnector,
)

urlpatterns = [
    path("connectors", ListConnectors.as_view()),
    path("connectors/check", CheckConnector.as_view()),
    path("connectors/<str:name>", DescribeConnector.as_view()),
    path("connectors/<str:name>/regenerate", RegenerateConnector.as_view()),
    path("connectors/<str:name>/pause", PauseConnector.as_view()),
    path("connectors/<str:name>/resume", ResumeConnector.as_view()),
    path("connectors/<str:name>/quarantine", ListQuarantine.as_view()),
    path("connectors/<str:name>/quarantine/replay", ReplayQuarantine.as_view()),
    path("connectors/<str:name>/rollback", RollBackConnector.as_view()),
    path("connectors/<str:name>/generations", ListGenerations.as_view()),
    path("connectors/<str:name>/generations/<str:table>", DropGeneration.as_view()),
    path("runs", ListRuns.as_view()),
    path("runs/<uuid:run_id>", DescribeRun.as_view()),
    path("runs/<uuid:run_id>/cancel", CancelRun.as_view()),
]

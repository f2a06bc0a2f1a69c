"""Addresses of audits and repairs."""

from django.urls import path

from lineage.connectors.audits.api.views import (
    AuditConnector,
    DescribeAudit,
    ListAudits,
    RepairConnector,
)

urlpatterns = [
    path("connectors/<str:name>/audit", AuditConnector.as_view()),
    path("connectors/<str:name>/repair", RepairConnector.as_view()),
    path("connectors/<str:name>/audits", ListAudits.as_view()),
    path("connectors/<str:name>/audits/<uuid:audit_id>", DescribeAudit.as_view()),
]

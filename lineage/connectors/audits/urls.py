"""Addresses of the pages of audits."""

from django.urls import path

from lineage.connectors.audits import views

urlpatterns = [
    path("copies/<str:name>/audit", views.audit_copy, name="audit-copy"),
    path("copies/<str:name>/repair", views.repair_copy, name="repair-copy"),
    path("copies/<str:name>/audits/<uuid:audit_id>", views.show_audit, name="audit"),
]

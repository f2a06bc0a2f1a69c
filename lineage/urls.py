"""Addresses of the lineage pages."""

from django.urls import include, path

from lineage import edge_views, views

urlpatterns = [
    path("lineage", views.show_lineage, name="lineage"),
    path("", include("lineage.questions_urls")),
    path("lineage/edge", edge_views.show_edge, name="lineage-edge"),
    path("lineage/names", views.suggest, name="lineage-names"),
    path("lineage/export.mmd", views.export, {"kind": "mmd"}, name="lineage-mermaid"),
    path("lineage/export.dot", views.export, {"kind": "dot"}, name="lineage-dot"),
]

"""REST addresses of lineage, under /api/v1/."""

from django.urls import path

from lineage.api import views

urlpatterns = [
    path("lineage/edges", views.ListEdges.as_view(), name="api-lineage-edges"),
    path("lineage/graph", views.ShowNeighbourhood.as_view(), name="api-lineage-graph"),
    path("lineage/samplings", views.ListSamplings.as_view(), name="api-lineage-samplings"),
]

"""REST addresses of OpenLineage, under /api/v1/; those of events are the clients' defaults."""

from django.urls import path

from lineage.openlineage.api import views

urlpatterns = [
    path("lineage", views.ReceiveEvent.as_view(), name="api-openlineage"),
    path("lineage/batch", views.ReceiveBatch.as_view(), name="api-openlineage-batch"),
    path("lineage/facets", views.ListFacets.as_view(), name="api-openlineage-facets"),
]

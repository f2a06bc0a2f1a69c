"""Addresses of the pages: the overview and the search here, the rest in each room."""

from django.urls import include, path

from config import views

urlpatterns = [
    path("", views.show_overview, name="overview"),
    path("search", views.search, name="search"),
    path("", include("catalog.urls")),
    path("", include("registry.urls")),
    path("", include("lineage.urls")),
    path("", include("lineage.connectors.urls")),
    path("", include("lineage.connectors.audits.urls")),
    path("", include("lineage.connectors.deployment.urls")),
    path("", include("lineage.derivations.urls")),
]

"""Every address of the product; each app brings its own."""

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

urlpatterns = [
    path("", include("config.health")),
    path("api/openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("", include("registry.api.urls")),
    path("api/v1/", include("catalog.api.urls")),
    path("api/v1/", include("lineage.api.urls")),
    path("api/v1/", include("lineage.sampling.api.urls")),
    path("api/v1/", include("lineage.connectors.api.urls")),
    path("", include("config.pages")),
]

handler400 = "config.faults.answer_bad_request"
handler403 = "config.faults.answer_forbidden"
handler404 = "config.faults.answer_not_found"
handler500 = "config.faults.answer_failure"

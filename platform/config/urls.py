"""Every address of the product; each app brings its own."""

from django.urls import include, path, re_path

from config import openapi

urlpatterns = [
    path("", include("config.health")),
    path("api/openapi.json", openapi.show_openapi, name="openapi"),
    re_path(r"^api/?$", openapi.show_api, name="api"),
    path("", include("registry.api.urls")),
    path("api/v1/", include("catalog.api.urls")),
    path("api/v1/", include("lineage.api.urls")),
    path("api/v1/", include("lineage.sampling.api.urls")),
    path("api/v1/", include("lineage.connectors.api.urls")),
    path("api/v1/", include("lineage.connectors.audits.api.urls")),
    path("api/v1/", include("lineage.connectors.deployment.api.urls")),
    path("apis/registry/v2/", include("lineage.connectors.deployment.api.apicurio_urls")),
    path("api/v1/", include("lineage.openlineage.api.urls")),
    path("api/v1/", include("lineage.derivations.api.urls")),
    path("", include("config.pages")),
]

handler400 = "config.faults.answer_bad_request"
handler403 = "config.faults.answer_forbidden"
handler404 = "config.faults.answer_not_found"
handler500 = "config.faults.answer_failure"

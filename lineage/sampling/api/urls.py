"""REST addresses of sampling, under /api/v1/."""

from django.urls import path

from lineage.sampling.api.views import ListPermissions, SampleNow

urlpatterns = [
    path("lineage/sample", SampleNow.as_view(), name="api-lineage-sample"),
    path("lineage/permissions", ListPermissions.as_view(), name="api-lineage-permissions"),
]

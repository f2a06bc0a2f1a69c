"""REST addresses of derivations, under /api/v1/."""

from django.urls import path

from lineage.derivations.api import views

urlpatterns = [
    path("lineage/derivations", views.ListDerivations.as_view(), name="api-lineage-derivations"),
    path("lineage/fields", views.TraceFields.as_view(), name="api-lineage-fields"),
    path("lineage/impact", views.FindImpact.as_view(), name="api-lineage-impact"),
    path("lineage/actor", views.DescribeActor.as_view(), name="api-lineage-actor"),
    path("lineage/claims", views.ListClaims.as_view(), name="api-lineage-claims"),
    path("lineage/claims/<int:number>", views.ShowClaim.as_view(), name="api-lineage-claim"),
]

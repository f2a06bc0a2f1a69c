"""REST addresses of lineage, under /api/v1/."""

from django.urls import path

from lineage.api import questions, views

urlpatterns = [
    path("lineage/edges", views.ListEdges.as_view(), name="api-lineage-edges"),
    path("lineage/graph", views.ShowNeighbourhood.as_view(), name="api-lineage-graph"),
    path("lineage/samplings", views.ListSamplings.as_view(), name="api-lineage-samplings"),
    path("lineage/upstream", questions.ShowUpstream.as_view(), name="api-lineage-upstream"),
    path("lineage/downstream", questions.ShowDownstream.as_view(), name="api-lineage-downstream"),
    path("lineage/path", questions.ShowPath.as_view(), name="api-lineage-path"),
    path("lineage/diff", questions.ShowDiff.as_view(), name="api-lineage-diff"),
    path("lineage/orphans", questions.ListOrphans.as_view(), name="api-lineage-orphans"),
    path("lineage/declared", questions.ListDeclared.as_view(), name="api-lineage-declared"),
    path("lineage/couplings", questions.ListCouplings.as_view(), name="api-lineage-couplings"),
    path("lineage/cycles", questions.ListCycles.as_view(), name="api-lineage-cycles"),
    path("lineage/footprint", questions.ShowFootprint.as_view(), name="api-lineage-footprint"),
]

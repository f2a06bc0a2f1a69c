"""Addresses of the questions to lineage, one page each."""

from django.urls import path

from lineage import questions_about_one as one
from lineage import questions_views as views

urlpatterns = [
    path("lineage/orphans", views.list_orphans, name="lineage-orphans"),
    path("lineage/declared", views.list_declared, name="lineage-declared"),
    path("lineage/diff", views.show_diff, name="lineage-diff"),
    path("lineage/couplings", views.list_couplings, name="lineage-couplings"),
    path("lineage/cycles", views.list_cycles, name="lineage-cycles"),
    path("lineage/path", one.show_path, name="lineage-path"),
    path("lineage/reach", one.show_reach, name="lineage-reach"),
    path("lineage/footprint", one.show_footprint, name="lineage-footprint"),
]

"""Addresses of the pages of impact and of actors."""

from django.urls import path

from lineage.derivations import views

urlpatterns = [
    path("lineage/impact", views.show_impact, name="lineage-impact"),
]

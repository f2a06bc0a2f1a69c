"""Addresses of the registry's pages; its API stands at the root."""

from django.urls import path

from registry import views

urlpatterns = [
    path("registry", views.show_subjects, name="subjects"),
    path("registry/try", views.try_schema, name="try-schema"),
    path("registry/subjects/<path:subject>", views.show_subject, name="subject"),
]

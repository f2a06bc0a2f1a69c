"""Addresses of the pages of copies and runs."""

from django.urls import path

from lineage.connectors import views

urlpatterns = [
    path("copies", views.list_copies, name="copies"),
    path("copies/<str:name>", views.show_copy, name="copy"),
    path("copies/<str:name>/regenerate", views.regenerate_copy, name="regenerate-copy"),
    path("copies/<str:name>/pause", views.pause_copy, name="pause-copy"),
    path("copies/<str:name>/resume", views.resume_copy, name="resume-copy"),
    path("runs/<uuid:run_id>", views.show_run, name="run"),
    path("runs/<uuid:run_id>/cancel", views.cancel_run, name="cancel-run"),
]

"""Addresses of the pages of copies and runs."""

from django.urls import path

from lineage.connectors import edit_views, views

urlpatterns = [
    path("copies", views.list_copies, name="copies"),
    path("copies/<str:name>", views.show_copy, name="copy"),
    path("copies/<str:name>/regenerate", views.regenerate_copy, name="regenerate-copy"),
    path("copies/<str:name>/drop-as-of", views.drop_table_as_of, name="drop-table-as-of"),
    path("copies/<str:name>/pause", views.pause_copy, name="pause-copy"),
    path("copies/<str:name>/resume", views.resume_copy, name="resume-copy"),
    path("copies/<str:name>/rollback", views.roll_back_copy, name="roll-back-copy"),
    path("copies/<str:name>/replay", views.replay_copy, name="replay-copy"),
    path("copies/<str:name>/forget", edit_views.forget_copy, name="forget-copy"),
    path("edit-copy", edit_views.edit_copy, name="new-copy"),
    path("edit-copy/<str:name>", edit_views.edit_copy, name="edit-copy"),
    path("runs/<uuid:run_id>", views.show_run, name="run"),
    path("runs/<uuid:run_id>/cancel", views.cancel_run, name="cancel-run"),
]

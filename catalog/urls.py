"""Addresses of the catalog's pages."""

from django.urls import path

from catalog import views

urlpatterns = [
    path("topics", views.list_topics, name="topics"),
    path("topics/<str:cluster>/<str:name>", views.show_topic, name="topic"),
    path("findings", views.list_findings, name="findings"),
    path("services", views.list_services, name="services"),
    path("services/<path:name>", views.show_service, name="service"),
    path("bounded-contexts/<path:name>", views.show_bounded_context, name="bounded-context"),
]

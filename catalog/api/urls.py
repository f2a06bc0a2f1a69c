"""Addresses of the catalog's REST API, below /api/v1/."""

from django.urls import path

from catalog.api import views

urlpatterns = [
    path("topics", views.ListTopics.as_view(), name="api-topics"),
    path("topics/<str:cluster>/<str:name>", views.ShowTopic.as_view(), name="api-topic"),
    path("services", views.ListServices.as_view(), name="api-services"),
    path("services/<str:name>", views.ShowService.as_view(), name="api-service"),
    path("contexts", views.ListContexts.as_view(), name="api-contexts"),
    path("clusters", views.ListClusters.as_view(), name="api-clusters"),
    path("findings", views.ListFindings.as_view(), name="api-findings"),
]

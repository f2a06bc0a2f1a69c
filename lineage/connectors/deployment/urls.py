"""Addresses of the buttons on a copy's page that act on its deployment."""

from django.urls import path

from lineage.connectors.deployment import views

urlpatterns = [
    path("copies/<str:name>/deploy", views.deploy_copy, name="deploy-copy"),
    path("copies/<str:name>/undeploy", views.undeploy_copy, name="undeploy-copy"),
    path("copies/<str:name>/restart", views.restart_copy, name="restart-copy"),
]

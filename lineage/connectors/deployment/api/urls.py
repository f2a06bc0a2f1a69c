"""Addresses of deployments."""

from django.urls import path

from lineage.connectors.deployment.api.views import (
    DeployConnector,
    DescribeDeployment,
    RestartDeployment,
    UndeployConnector,
)

urlpatterns = [
    path("connectors/<str:name>/deployment", DescribeDeployment.as_view()),
    path("connectors/<str:name>/deployment/restart", RestartDeployment.as_view()),
    path("connectors/<str:name>/deploy", DeployConnector.as_view()),
    path("connectors/<str:name>/undeploy", UndeployConnector.as_view()),
]

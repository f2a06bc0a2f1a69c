"""Buttons of a copy's page: deploy, undeploy, restart. What is refused is told on the page."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from broker.errors import BrokerError
from lineage.connectors.deployment import actions
from lineage.connectors.deployment.errors import (
    ConnectRefusedError,
    ConnectUnavailableError,
    ConnectUnsetError,
    DeploymentMissingError,
    EngineMismatchError,
    NotRenderableError,
)

_TOLD = (
    BrokerError,
    ConnectRefusedError,
    ConnectUnavailableError,
    ConnectUnsetError,
    DeploymentMissingError,
    EngineMismatchError,
    NotRenderableError,
)


def _act(request: HttpRequest, name: str, act: Callable[[str], object]) -> HttpResponse:
    try:
        act(name)
    except _TOLD as refused:
        messages.warning(request, str(refused))
    return redirect("copy", name)


@require_POST
def deploy_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Deploy a copy, or what has changed of it."""
    return _act(request, name, lambda copy: actions.deploy(copy, request.POST.get("connect", "")))


@require_POST
def undeploy_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Take a copy off Kafka Connect."""
    return _act(request, name, actions.undeploy)


@require_POST
def restart_copy(request: HttpRequest, name: str) -> HttpResponse:
    """Start failed tasks again."""
    return _act(request, name, actions.restart)

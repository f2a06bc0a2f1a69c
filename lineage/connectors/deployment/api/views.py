"""Deployments over REST, and the two questions that Apicurio's converter asks a registry."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lineage.connectors.deployment import actions
from lineage.connectors.deployment.api.serializers import DeploymentSerializer, DeploySerializer
from registry.actions.reading import find_schema, in_style
from registry.errors import RegistryError


def _described(name: str) -> Response:
    return Response(DeploymentSerializer(actions.describe(name)).data)


class DescribeDeployment(APIView):
    """How Kafka Connect keeps a copy, or would."""

    @extend_schema(operation_id="describe_deployment", responses=DeploymentSerializer)
    def get(self, _request: Request, name: str) -> Response:
        """Describe the deployment: state, tasks, lag, configuration, and what it does otherwise."""
        return _described(name)


class DeployConnector(APIView):
    """Deploys a copy."""

    @extend_schema(
        operation_id="deploy_connector", request=DeploySerializer, responses=DeploymentSerializer
    )
    def post(self, request: Request, name: str) -> Response:
        """Create or change the connector on Kafka Connect; the same again changes nothing."""
        asked = DeploySerializer(data=request.data or {})
        asked.is_valid(raise_exception=True)
        actions.deploy(name, asked.validated_data["connect"], asked.validated_data["tasks"])
        return _described(name)


class UndeployConnector(APIView):
    """Takes a copy back."""

    @extend_schema(operation_id="undeploy_connector", request=None, responses=DeploymentSerializer)
    def post(self, _request: Request, name: str) -> Response:
        """Delete the connector on Kafka Connect and its offsets there; the table stays."""
        actions.undeploy(name)
        return _described(name)


class RestartDeployment(APIView):
    """Restarts what failed."""

    @extend_schema(operation_id="restart_deployment", request=None, responses=DeploymentSerializer)
    def post(self, _request: Request, name: str) -> Response:
        """Start failed tasks again."""
        actions.restart(name)
        return _described(name)


# -- Apicurio's converter -----------------------------------------------------------------------
def show_content(_request: HttpRequest, schema_id: int) -> HttpResponse:
    """Answer the text of a schema, referenced types in place, as Apicurio Registry 2 does."""
    try:
        schema = in_style(find_schema(schema_id), "resolved")
    except RegistryError as error:
        return JsonResponse(
            {"error_code": error.http_status, "message": str(error)}, status=error.http_status
        )
    answer = HttpResponse(schema.text, content_type="application/json")
    answer["X-Registry-ArtifactType"] = schema.format
    return answer


def list_references(_request: HttpRequest, schema_id: int) -> HttpResponse:  # noqa: ARG001
    """Answer none: `show_content` has put the referenced types in place."""
    return JsonResponse([], safe=False)

"""The REST boundary: the page envelope and the one place where errors become RFC 9457 problems."""

from typing import Any, Protocol, runtime_checkable

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.response import Response


@runtime_checkable
class AppError(Protocol):
    """What each app's error tree carries, so that one handler can map them all."""

    code: str
    http_status: int


class Pages(LimitOffsetPagination):
    """Lists as `{"count", "next", "previous", "results"}`; `limit` and `offset` select a page."""

    default_limit = 100
    max_limit = 1000


def _problem(
    status: int, code: str, detail: Any, headers: dict[str, str] | None = None
) -> Response:
    body = {"type": f"urn:insideout:{code}", "title": code.replace("-", " "), "status": status}
    body["detail"] = detail
    return Response(body, status, headers=headers, content_type="application/problem+json")


def _sentence(errors: Any) -> str:
    """Return what a validation found as one text: `detail` is a string (RFC 9457, 3.1.4)."""
    if isinstance(errors, dict):
        return "; ".join(f"{name}: {_sentence(found)}" for name, found in errors.items())
    if isinstance(errors, list):
        return ", ".join(_sentence(found) for found in errors)
    return str(errors)


def answer_error(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Map an error to an RFC 9457 problem; `None` leaves an unknown one to Django's 500."""
    if isinstance(error, AppError):
        return _problem(error.http_status, error.code, str(error))
    if isinstance(error, Http404):
        return _problem(404, "not-found", str(error))
    if isinstance(error, PermissionDenied):
        return _problem(403, "forbidden", str(error))
    if isinstance(error, exceptions.ValidationError):
        answer = _problem(error.status_code, "invalid", _sentence(error.detail))
        answer.data["errors"] = error.detail
        return answer
    if isinstance(error, exceptions.APIException):
        code = str(error.default_code).replace("_", "-")
        return _problem(error.status_code, code, str(error.detail))
    return None

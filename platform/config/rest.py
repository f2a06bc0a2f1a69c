"""The REST boundary: the page envelope and the one place where errors become RFC 9457 problems."""

import re
from typing import Any, Protocol, runtime_checkable

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response

_DIGITS = re.compile(r"[0-9]{1,4000}")
_SHOWN = 100


@runtime_checkable
class AppError(Protocol):
    """What each app's error tree carries, so that one handler can map them all."""

    code: str
    http_status: int


class Pages(LimitOffsetPagination):
    """Lists as `{"count", "next", "previous", "results"}`; `limit` and `offset` select a page.

    What is no such number is refused; a limit beyond the largest counts as that.
    """

    default_limit = 100
    max_limit = 1000

    def get_limit(self, request: Request) -> int:
        """Return the length of the page."""
        asked = _whole(request, "limit", self.default_limit, least=1)
        return min(asked, self.max_limit)

    def get_offset(self, request: Request) -> int:
        """Return how many come before the page."""
        return _whole(request, "offset", 0, least=0)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe both parameters, with what is allowed."""
        least = {"limit": 1, "offset": 0}
        found = super().get_schema_operation_parameters(view)
        for parameter in found:
            parameter["schema"]["minimum"] = least[parameter["name"]]
        return found


def _whole(request: Request, name: str, default: int, *, least: int) -> int:
    text = request.query_params.get(name, "").strip()
    if not text:
        return default
    # longer numbers are not converted by Python
    if not _DIGITS.fullmatch(text) or int(text) < least:
        raise exceptions.ValidationError({
            name: [f"{_shorten(text)!r} is none of the whole numbers from {least} on"]
        })
    return int(text)


def _shorten(text: str) -> str:
    """Return what was sent, cut to what a message can hold."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


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

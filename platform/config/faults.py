"""Answers to requests that no view answered: a page for browsers, a problem for programs.

Programs get RFC 9457 problems, except at the registry's addresses, whose clients expect
Confluent's `{"error_code", "message"}`.
"""

from http import HTTPStatus

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.urls import Resolver404

_HOST_SHOWN = 255
_REGISTRY_ROOTS = frozenset({
    "subjects",
    "schemas",
    "config",
    "mode",
    "compatibility",
    "contexts",
    "exporters",
    "v1",
})


def wants_page(request: HttpRequest) -> bool:
    """Whether a person's browser asks: programs do not name text/html."""
    return "text/html" in request.headers.get("Accept", "")


def answer_problem(status: int, code: str, detail: str) -> HttpResponse:
    """Answer a program with what is wrong, as RFC 9457 has it."""
    body = {
        "type": f"urn:insideout:{code}",
        "title": code.replace("-", " "),
        "status": status,
        "detail": detail,
    }
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _page(request: HttpRequest, status: HTTPStatus, detail: str) -> HttpResponse:
    # after a failure the page is drawn without what the frame reads from the database
    framed = None if status is HTTPStatus.INTERNAL_SERVER_ERROR else request
    try:
        page = render_to_string(
            f"{status.value}.html", {"status": status.value, "detail": detail}, framed
        )
    except TemplateDoesNotExist:
        text = f"{status.value} {status.phrase}: {detail}\n"
        return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    return HttpResponse(page, status=status)


def _answer(
    request: HttpRequest, status: HTTPStatus, detail: str, confluents: str = ""
) -> HttpResponse:
    root = request.path.split("/", 2)[1]
    message = confluents or f"HTTP {status.value} {status.phrase}"
    if root in _REGISTRY_ROOTS:
        body = {"error_code": status.value, "message": message}
        return JsonResponse(
            body, status=status, content_type="application/vnd.schemaregistry.v1+json"
        )
    if root != "api" and wants_page(request):
        return _page(request, status, detail)
    return answer_problem(status, status.phrase.lower().replace(" ", "-"), detail)


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refused to read: the kind of refusal, or which host it is."""
    if isinstance(exception, DisallowedHost):
        host = request.headers.get("Host", "")[:_HOST_SHOWN]
        detail = (
            f"the server does not answer as {host!r}: name the host in its setting ALLOWED_HOSTS "
            "(host names without ports, separated by commas)"
        )
        return _answer(request, HTTPStatus.BAD_REQUEST, detail, confluents=detail)
    return _answer(
        request,
        HTTPStatus.BAD_REQUEST,
        f"the request cannot be read: {type(exception).__name__}",
    )


def answer_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that is not allowed."""
    return _answer(request, HTTPStatus.FORBIDDEN, str(exception) or "this is not allowed")


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere, or to something that is not there."""
    said = "" if isinstance(exception, Resolver404) else str(exception)
    return _answer(request, HTTPStatus.NOT_FOUND, said or f"there is nothing at {request.path}")


def answer_failure(request: HttpRequest) -> HttpResponse:
    """Answer when a view failed; the log has the reason."""
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "this failed; the log says why")

"""Where an app's error, raised by a page, becomes a page that says what, where and what to do.

And where a text that the database cannot hold (PostgreSQL: a NUL), in whatever parameter of a
page or the API, becomes the client's error that it is.
"""

from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.faults import answer_bad_request, answer_problem, wants_page
from config.rest import AppError

_TITLES = {404: "It is not there", 409: "Not now", 503: "Something it needs does not answer"}


class PageErrors:
    """Middleware: draws errors of the apps' trees; everything else is left to Django."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; only failures concern this."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page for an app's error; None for what no app declared."""
        if isinstance(error, DataError):
            return answer_bad_request(request, error)
        if not isinstance(error, AppError):
            return None
        if not wants_page(request):
            return answer_problem(error.http_status, error.code, str(error))
        context = {
            "title": _TITLES.get(error.http_status, "This cannot be done"),
            "status": error.http_status,
            "code": error.code,
            "message": str(error),
        }
        return render(request, "error.html", context, status=error.http_status)

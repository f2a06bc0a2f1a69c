"""Between the web server and Django: bodies are read before work begins, and work is shared out.

The server hands each request to a thread of its own, and a thread waits as long as its client
dawdles over the body. So threads are many and cheap, while work needs one of WEB_THREADS places:
one is kept from requests with bodies and half from large ones, so that reads find one soon. A
database connection belongs to a place and not to a thread, and there are as many as places.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from io import BytesIO
from threading import BoundedSemaphore, Lock
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

THREADS = 512
"""Requests that one worker keeps in hand: at work, waiting for a place, or being read."""
_UNREAD = 448
_LARGE = 32 * 1024


class Places:
    """The places to work at, each with its own database connections."""

    def __init__(self, number: int) -> None:
        self._free = BoundedSemaphore(number)
        self._writes = BoundedSemaphore(max(1, number - 1))
        self._large = BoundedSemaphore(max(1, number // 2))
        self._lock = Lock()
        self._idle: list[dict[str, BaseDatabaseWrapper]] = [{} for _ in range(number)]

    @contextmanager
    def taken(self, size: int | None) -> Iterator[None]:
        """Hold a place for a request with a body of so many bytes, or with none."""
        with ExitStack() as held:
            if size is not None:
                if size > _LARGE:
                    held.enter_context(self._large)
                held.enter_context(self._writes)
            held.enter_context(self._free)
            held.enter_context(self._connected())
            yield

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Lend the place's connections to this thread; the place used last is lent first."""
        with self._lock:
            kept = self._idle.pop()
        for alias, connection in kept.items():
            connections[alias] = connection
        try:
            yield
        finally:
            for connection in connections.all(initialized_only=True):
                if connection.alias not in kept:
                    connection.inc_thread_sharing()
                kept[connection.alias] = connection
                del connections[connection.alias]
            with self._lock:
                self._idle.append(kept)


class Intake:
    """A WSGI application that reads, then waits for a place, then has another one work."""

    def __init__(self, application: Application, places: int) -> None:
        self._application = application
        self._places = Places(places)
        self._reading = BoundedSemaphore(_UNREAD)

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer one request, whole: what it streams is collected while the place is held."""
        size: int | None = None
        if _has_body(environ):
            if not self._reading.acquire(blocking=False):
                return _refuse(start_response, 503, "Too many requests are being read, try again")
            try:
                size = _read_body(environ)
            finally:
                self._reading.release()
            if size is None:
                return _refuse(start_response, 400, "The body is shorter than its length says")
        with self._places.taken(size):
            answer = self._application(environ, start_response)
            try:
                return list(answer)
            finally:
                if close := getattr(answer, "close", None):
                    close()


def _has_body(environ: Environ) -> bool:
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return True
    return environ.get("CONTENT_LENGTH", "") not in {"", "0"}


def _read_body(environ: Environ) -> int | None:
    """Put the body in place of the stream and answer its size; None when it was cut short.

    One too large is left to Django, which refuses it by its length.
    """
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = environ.get("CONTENT_LENGTH", "")
    announced = int(length[:20]) if length.isdecimal() else 0
    if announced > most:
        return 0
    body: bytes = environ["wsgi.input"].read(most + 1)
    environ["wsgi.input"] = BytesIO(body)
    return len(body) if len(body) >= announced else None


def _refuse(start_response: StartResponse, status: int, message: str) -> list[bytes]:
    """Answer without Django, in the registry's form: where it goes is not looked at."""
    body = json.dumps({"error_code": status, "message": message}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", "1"))
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]

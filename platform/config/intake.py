"""Between the web server and Django: bodies are read before work begins, and work is shared out.

The server hands each request to a thread of its own, and a thread waits as long as its client
dawdles over the body. So threads are many and cheap, while work needs one of WEB_THREADS places:
one is kept from requests with bodies and half from large ones, so that reads find one soon. A
database connection belongs to a place and not to a thread, and there are as many as places.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
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
            for alias in connections.settings:
                connection = connections[alias] if alias in kept else _made(alias)
                if connection is None:
                    continue
                if alias not in kept:
                    connection.inc_thread_sharing()
                    kept[alias] = connection
                del connections[alias]
            with self._lock:
                self._idle.append(kept)


def _made(alias: str) -> BaseDatabaseWrapper | None:
    """The connection that this thread has made for itself, if any."""
    made = (each for each in connections.all(initialized_only=True) if each.alias == alias)
    return next(made, None)


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
                return _refuse(start_response)
            try:
                size = _read_body(environ)
            finally:
                self._reading.release()
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


def _read_body(environ: Environ) -> int:
    """Put the body in place of the stream and answer its size; one too large is left to Django."""
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    length = environ.get("CONTENT_LENGTH", "")
    if length.isdecimal() and int(length[:20]) > most:
        return 0
    body: bytes = environ["wsgi.input"].read(most + 1)
    environ["wsgi.input"] = BytesIO(body)
    return len(body)


def _refuse(start_response: StartResponse) -> list[bytes]:
    """503 while too many clients have not sent what they announced."""
    said = {"error_code": 503, "message": "Too many requests are being read, try again"}
    body = json.dumps(said).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("503 Service Unavailable", [*headers, ("Retry-After", "1")])
    return [body]

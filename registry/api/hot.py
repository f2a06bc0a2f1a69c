"""Answers that were given before, given again by a WSGI callable in front of Django.

An answer is the very one that Django gave, header for header, to the same request, and is given
only while nothing was committed to the database since before it was made: by this process or any
other. So it is never older than what Django would answer, whatever the request reads.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from io import BytesIO
from threading import Lock
from typing import Any, NamedTuple, Protocol

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

UNKEPT = "registry.unkept"
"""In a request's environment: its answer does not follow from the database as it is now."""

_READ = ("/schemas/", "/subjects", "/contexts", "/config", "/mode", "/compatibility/")
_POSTED = ("/subjects/", "/compatibility/", "/contexts/")
# what an answer may depend on besides the address and the body
_HEADERS = (
    "HTTP_HOST",
    "HTTP_ACCEPT",
    "HTTP_IF_NONE_MATCH",
    "HTTP_AUTHORIZATION",
    "HTTP_X_FORWARDED_PROTO",
    "CONTENT_TYPE",
    "HTTP_CONTENT_ENCODING",
    "SCRIPT_NAME",
    "wsgi.url_scheme",
)
_LONGEST_BODY = 2**20
_SHARE = 16
_OVERHEAD = 1024


class Witness(Protocol):
    """Tells whether the database is as it was; see registry.api.unchanged."""

    def token(self) -> object | None:
        """What is equal as long as nobody committed; None when that cannot be told."""


class Answer(NamedTuple):
    """An answer as WSGI has it."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


class HotPath:
    """A WSGI application that asks `app` once and remembers while the witness sees no change."""

    def __init__(self, app: App, witness: Witness, most_bytes: int) -> None:
        self._app = app
        self._witness = witness
        self._most_bytes = most_bytes
        self._answers: OrderedDict[tuple[Any, ...], Answer] = OrderedDict()
        self._bytes = 0
        self._token: object = None
        self._lock = Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        key = _key(environ) if self._most_bytes else None
        token = None if key is None else self._witness.token()
        if key is None or token is None:
            return self._app(environ, start_response)
        kept = self._find(key, token)
        answer = kept or self._ask(environ, key, token)
        start_response(answer.status, list(answer.headers))
        # to a list the server gives a length of its own, or none to an empty one
        return [answer.body] if kept and answer.body else (part for part in (answer.body,))

    def _find(self, key: tuple[Any, ...], token: object) -> Answer | None:
        with self._lock:
            if token != self._token:
                self._answers.clear()
                self._bytes = 0
                self._token = token
                return None
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
            return found

    def _ask(self, environ: Environ, key: tuple[Any, ...], token: object) -> Answer:
        """Ask the application, and keep what it answers unless something was committed since."""
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
            started[:] = status, headers
            return written.append

        written: list[bytes] = []
        parts = self._app(environ, start)
        try:
            body = b"".join([*written, *parts])
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()
        answer = Answer(started[0], started[1], body)
        if _lasts(answer) and UNKEPT not in environ and self._witness.token() == token:
            self._keep(key, answer, token)
        return answer

    def _keep(self, key: tuple[Any, ...], answer: Answer, token: object) -> None:
        size = _size(key, answer)
        if size > self._most_bytes // _SHARE:
            return
        with self._lock:
            if token != self._token:
                return
            before = self._answers.pop(key, None)
            self._bytes += size - (_size(key, before) if before is not None else 0)
            self._answers[key] = answer
            while self._bytes > self._most_bytes:
                self._bytes -= _size(*self._answers.popitem(last=False))


def _key(environ: Environ) -> tuple[Any, ...] | None:
    """All that the answer may depend on besides the database; None for what is never kept."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    posted = method == "POST"
    if not path.startswith(_POSTED if posted else _READ) or not (posted or method == "GET"):
        return None
    if "HTTP_COOKIE" in environ or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    headers = [environ.get(name) for name in _HEADERS]
    digest = _digest(environ) if posted else b""
    if digest is None:
        return None
    return method, path, environ.get("QUERY_STRING"), digest, *headers


def _digest(environ: Environ) -> bytes | None:
    """The body's digest; the body stays to be read. None when it is too long, or not all there."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    if not 0 < length <= _LONGEST_BODY:
        return None
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = BytesIO(body)
    return hashlib.sha256(body).digest() if len(body) == length else None


def _lasts(answer: Answer) -> bool:
    """Whether an answer may be given again: nothing missing, nothing wrong, nothing personal."""
    names = {name.lower() for name, _ in answer.headers}
    return (
        answer.status[:3] in {"200", "304"}
        and "content-length" in names
        and "set-cookie" not in names
    )


def _size(key: tuple[Any, ...], answer: Answer) -> int:
    """Roughly the bytes that an entry takes."""
    texts = sum(len(part) for part in key if part is not None)
    return len(answer.body) + texts + _OVERHEAD

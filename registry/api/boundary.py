"""The registry's HTTP boundary: reads requests, writes answers, maps every error in one place.

Errors are `{"error_code", "message"}` and nothing else (an extra field breaks old Java clients).
"""

import logging
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.db import DataError
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.log import log_response
from django.views.decorators.csrf import csrf_exempt

from registry.api.hot import UNKEPT
from registry.errors import ProtocolError, RegistryError, StoreError

logger = logging.getLogger(__name__)

V1 = "application/vnd.schemaregistry.v1+json"
ACCEPTED = (V1, "application/vnd.schemaregistry+json", "application/json")
_READABLE = frozenset({*ACCEPTED, "application/octet-stream", ""})
_CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""Codings of a body that are undone, by zlib's number for the window and the frame."""
_TRUE = frozenset({"true"})
_LARGEST = 2**31 - 1
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Text:
    """An answer that is a schema's text as such and not a JSON value."""

    text: str


@dataclass(frozen=True)
class Lasting:
    """JSON that stands for good under its address; `tag` is its ETag, quotes included.

    Not `fresh` when the database could not be asked.
    """

    content: bytes
    tag: str
    fresh: bool = True


class Call:
    """One request as an operation sees it: typed parameters, and the body as JSON."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean parameter; any case, and anything but `true` is false, as in Java."""
        value = self.request.GET.get(name)
        return default if value is None else value.strip().lower() in _TRUE

    def text(self, name: str, default: str = "") -> str:
        """A text parameter."""
        return self.request.GET.get(name, default)

    def texts(self, name: str) -> list[str]:
        """A repeated parameter."""
        return self.request.GET.getlist(name)

    def number(self, name: str, default: int) -> int:
        """A whole-number parameter; one that is none is an address that does not exist (JAX-RS)."""
        value = self.request.GET.get(name)
        return default if value is None else read_number(value)

    def header(self, name: str) -> str:
        """A request header, empty when absent."""
        return self.request.headers.get(name, "")

    @property
    def who(self) -> str:
        """Whom to record as the one who registered: the client as it names itself."""
        return self.header("Confluent-Client-Version") or self.header("User-Agent")

    def body(self) -> dict[str, Any]:
        """The JSON object sent; empty when there is no body."""
        content_type = self.request.content_type or ""
        if content_type.lower() not in _READABLE:
            raise ProtocolError(415, "HTTP 415 Unsupported Media Type")
        sent = self._plain(self.request.body or self._chunks())
        if not sent:
            return {}
        try:
            body = orjson.loads(sent)
        except orjson.JSONDecodeError as wrong:
            raise ProtocolError(400, f"Unreadable JSON: {wrong}") from None
        if not isinstance(body, dict):
            raise ProtocolError(400, "Unreadable JSON: an object is expected")
        return body

    def _plain(self, sent: bytes) -> bytes:
        """The body before its Content-Encoding (RFC 9110), no longer than a body may be."""
        coding = self.header("Content-Encoding").strip().lower()
        if coding in {"", "identity"}:
            return sent
        if coding not in _CODINGS:
            raise ProtocolError(415, "HTTP 415 Unsupported Media Type")
        most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        inflating = zlib.decompressobj(_CODINGS[coding])
        try:
            plain = inflating.decompress(sent, most + 1)
        except zlib.error:
            raise ProtocolError(400, f"The request could not be read: no {coding}") from None
        if len(plain) > most:
            raise ProtocolError(413, "HTTP 413 Request Entity Too Large")
        if not inflating.eof:
            raise ProtocolError(400, f"The request could not be read: {coding} without its end")
        return plain

    def _chunks(self) -> bytes:
        """A body sent in chunks, which has no length and which Django therefore takes as empty."""
        if "chunked" not in self.header("Transfer-Encoding").lower():
            return b""
        most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        sent: bytes = self.request.META["wsgi.input"].read(most + 1)
        if len(sent) > most:
            raise ProtocolError(413, "HTTP 413 Request Entity Too Large")
        if not sent:
            # the server ends a body at a chunk that it cannot read, and says no more
            raise ProtocolError(400, "The request could not be read: no chunk")
        return sent


def read_number(text: str) -> int:
    """A whole number of a path or parameter, or 404 as JAX-RS answers."""
    if not _WHOLE.fullmatch(text) or not ~_LARGEST <= int(text) <= _LARGEST:
        raise ProtocolError(404, "HTTP 404 Not Found")
    return int(text)


Operation = Callable[..., Any]


def answer(request: HttpRequest, value: Any, status: int = 200) -> HttpResponse:
    """A JSON (or plain text) answer in the type that the client prefers."""
    chosen = _negotiate(request.headers.get("Accept", "")) or V1
    if isinstance(value, Lasting):
        return _answer_lasting(request, value, chosen)
    content = value.text.encode() if isinstance(value, Text) else orjson.dumps(value)
    return HttpResponse(content, content_type=chosen, status=status)


def _answer_lasting(request: HttpRequest, value: Lasting, chosen: str) -> HttpResponse:
    """What never changes, to be kept by whoever asks; 304 to one who has it (RFC 9110 and 8246)."""
    if not value.fresh:
        request.META[UNKEPT] = True
    known = request.headers.get("If-None-Match", "")
    held = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if held & {value.tag, "*"}:
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        response = HttpResponse(value.content, content_type=chosen)
    response["ETag"] = value.tag
    response["Cache-Control"] = f"private, max-age={_YEAR}, immutable"
    response["Vary"] = "Accept"
    return response


def _check_accept(request: HttpRequest) -> None:
    """Refuse what could not be answered before anything is done."""
    if _negotiate(request.headers.get("Accept", "")) is None:
        raise ProtocolError(406, "HTTP 406 Not Acceptable")


def _negotiate(accept: str) -> str | None:
    """The type to answer in, as JAX-RS chooses: by specificity, then quality, then our order."""
    if not accept.strip():
        return V1
    best: tuple[int, float, int] | None = None
    for item in accept.split(","):
        name, _, rest = item.partition(";")
        pattern, quality = name.strip().lower(), _quality(rest)
        for rank, offered in enumerate(ACCEPTED):
            if quality > 0 and pattern in {"*/*", "*", "application/*", offered}:
                specificity = 2 if pattern == offered else int(pattern == "application/*")
                candidate = (specificity, quality, -rank)
                best = candidate if best is None else max(best, candidate)
    return None if best is None else ACCEPTED[-best[2]]


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        key, _, value = parameter.strip().partition("=")
        if key.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def refuse(request: HttpRequest, error: RegistryError) -> HttpResponse:
    """An error as Confluent's body."""
    response = answer(
        request,
        {"error_code": error.error_code, "message": str(error)},
        error.http_status,
    )
    if error.http_status == 503:
        response["Retry-After"] = "1"
    if error.http_status < 500:
        # clients ask for what may not be there in their daily work: no warning to the operator
        log_response(
            "%s: %s",
            error,
            request.path,
            response=response,
            request=request,
            logger=logger,
            level="debug",
        )
    return response


class Endpoint:
    """A view that hands each method to its operation and maps every error to an answer."""

    # clients carry no cookies, and a form's content types are not read
    csrf_exempt = True

    def __init__(self, **operations: Operation) -> None:
        self.operations = operations

    def __call__(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Answer one request; nothing but an answer comes out."""
        method = "GET" if request.method == "HEAD" else str(request.method)
        operation = self.operations.get(method)
        if operation is None:
            return self._refuse_method(request)
        try:
            _check_accept(request)
            value = operation(Call(request), **path)
        except RegistryError as error:
            return refuse(request, error)
        except RequestDataTooBig:
            return refuse(request, ProtocolError(413, "HTTP 413 Request Entity Too Large"))
        except (TooManyFieldsSent, UnreadablePostError) as error:
            wrong = ProtocolError(400, f"The request could not be read: {type(error).__name__}")
            return refuse(request, wrong)
        except DataError:
            return refuse(request, ProtocolError(400, "The request holds a value that is no text"))
        except DatabaseError as error:
            logger.warning("the store failed: %s", error)
            return refuse(request, StoreError("Error while accessing the store, try again"))
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return refuse(request, ProtocolError(500, "Internal Server Error"))
        return answer(request, value) if value is not None else HttpResponse(status=204)

    def _refuse_method(self, request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            response = HttpResponse(status=200)
        else:
            response = refuse(request, ProtocolError(405, "HTTP 405 Method Not Allowed"))
        allowed = {*self.operations, "OPTIONS", *({"HEAD"} if "GET" in self.operations else ())}
        response["Allow"] = ", ".join(sorted(allowed))
        return response


def refuse_unrouted(request: HttpRequest, **_path: str) -> HttpResponse:
    """404 for an address under the registry's paths that is none of its operations."""
    return refuse(request, ProtocolError(404, "HTTP 404 Not Found"))


view_unrouted = csrf_exempt(refuse_unrouted)

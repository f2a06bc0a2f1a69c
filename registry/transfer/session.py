"""JSON over HTTP from one server: connections stay open, failures that pass are tried again."""

import base64
import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from registry.transfer.errors import PeerError

_ACCEPT = (
    "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json; q=0.9, "
    "application/json; q=0.5"
)
_ATTEMPTS = 4
_PASSING = frozenset({429, 500, 502, 503, 504})


class Session:
    """Reads from the registry at a URL; usable by several threads at once."""

    def __init__(self, url: str, credentials: str = "", timeout: float = 60.0) -> None:
        """`credentials` are `user:password` or a bearer token; those in the URL count as well."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PeerError(f"{url} is not the http:// or https:// address of a registry")
        self._kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        try:
            self._address = parts.hostname, parts.port
        except ValueError as wrong:
            raise PeerError(f"{url}: {wrong}") from None
        port = f":{parts.port}" if parts.port else ""
        self.name = f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
        self._prefix = parts.path.rstrip("/")
        if not credentials and parts.username:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        self._headers = {"Accept": _ACCEPT, **_authorization(credentials.strip())}
        self._timeout = timeout
        self._local = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    def get(self, path: str, **parameters: str | int) -> Any:
        """The JSON answer, or None when there is no such thing (404). PeerError otherwise."""
        address = self._prefix + path + (f"?{urlencode(parameters)}" if parameters else "")
        trouble = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(0.2 * 4 ** (attempt - 1))
            try:
                status, body = self._request(address)
            except (OSError, http.client.HTTPException) as wrong:
                self._drop()
                trouble = f"{self.name} cannot be reached: {wrong}"
                continue
            if status not in _PASSING:
                return self._read(path, status, body)
            trouble = f"{self.name}{path} answered {status}: {_excerpt(body)}"
        raise PeerError(trouble)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of every connection; none of them is in use any more."""
        for connection in self._open:
            connection.close()

    def _request(self, address: str) -> tuple[int, bytes]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            host, port = self._address
            connection = self._local.connection = self._kind(host, port, timeout=self._timeout)
            self._open.append(connection)
        connection.request("GET", address, headers=self._headers)
        response = connection.getresponse()
        return response.status, response.read()

    def _drop(self) -> None:
        connection = self._local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def _read(self, path: str, status: int, body: bytes) -> Any:
        if status == 404:
            return None
        if status != 200:
            raise PeerError(f"{self.name}{path} answered {status}: {_excerpt(body)}")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise PeerError(f"{self.name}{path} did not answer JSON: {_excerpt(body)}") from None


def _authorization(credentials: str) -> dict[str, str]:
    if not credentials:
        return {}
    if ":" not in credentials:
        return {"Authorization": f"Bearer {credentials.removeprefix('Bearer ')}"}
    return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


def _excerpt(body: bytes) -> str:
    """The error's message, or the beginning of whatever came."""
    try:
        return str(json.loads(body)["message"])[:300]
    except (ValueError, KeyError, TypeError, RecursionError):
        return body[:100].decode(errors="replace")

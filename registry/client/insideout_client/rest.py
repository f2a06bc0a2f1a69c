"""Calls to a registry over HTTP, and what can go wrong with them."""

import base64
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

_CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class RegistryUnreachableError(Exception):
    """The registry gave no answer, or one that is not its own."""


class RegistryRefusedError(Exception):
    """The registry answered with an error; `code` is its error code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"{message} (error {code})")
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Schema:
    """A schema to send: its text, its kind (AVRO, JSON, PROTOBUF) and its references."""

    text: str
    kind: str
    references: tuple[tuple[str, str, int], ...] = ()

    def body(self) -> dict[str, Any]:
        """The request's body."""
        body: dict[str, Any] = {"schema": self.text, "schemaType": self.kind}
        if self.references:
            body["references"] = [
                {"name": name, "subject": subject, "version": version}
                for name, subject, version in self.references
            ]
        return body


class Registry:
    """A registry by its URL; `user_info` is `user:password` for basic authentication."""

    def __init__(self, url: str, user_info: str = "", timeout: float = 30.0) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"not an http(s) URL: {url}")
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._headers = {"Accept": _CONTENT_TYPE, "Content-Type": _CONTENT_TYPE}
        if user_info:
            token = base64.b64encode(user_info.encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def register(self, subject: str, schema: Schema, *, normalize: bool = False) -> dict[str, Any]:
        """Register under a subject; the answer holds the id."""
        path = f"/subjects/{quote(subject, safe='')}/versions"
        answer: dict[str, Any] = self._call("POST", _flag(path, normalize), schema.body())
        return answer

    def check(self, subject: str, schema: Schema, *, normalize: bool = False) -> list[str] | None:
        """The reasons why a schema is incompatible, or None when it is not."""
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions?verbose=true"
        answer = self._call("POST", _flag(path, normalize), schema.body())
        if answer.get("is_compatible"):
            return None
        return [str(message) for message in answer.get("messages") or ["incompatible"]]

    def find(self, subject: str, version: str = "latest") -> dict[str, Any]:
        """A version of a subject."""
        path = f"/subjects/{quote(subject, safe='')}/versions/{quote(version, safe='')}"
        answer: dict[str, Any] = self._call("GET", path)
        return answer

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  (the scheme was checked)
            self._url + path, data, self._headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except (OSError, http.client.HTTPException) as error:
            raise RegistryUnreachableError(f"{self._url}: {error}") from None
        except ValueError:
            raise RegistryUnreachableError(f"{self._url}: not a registry's answer") from None


def _flag(path: str, normalize: bool) -> str:
    if not normalize:
        return path
    return f"{path}{'&' if '?' in path else '?'}normalize=true"


def _refused(error: urllib.error.HTTPError) -> Exception:
    """An HTTP error as what it means: refused, or (5xx, or no registry at all) unreachable."""
    with error:
        try:
            body = json.load(error)
            code, message = int(body["error_code"]), str(body["message"])
        except (ValueError, KeyError, TypeError):
            return RegistryUnreachableError(f"{error.url}: HTTP {error.code}")
    if error.code >= 500:
        return RegistryUnreachableError(f"{error.url}: {message}")
    return RegistryRefusedError(error.code, code, message)

"""Requests of kafka-python's with a body or an answer that we write or read ourselves."""

import struct
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_THROTTLE_BYTES = 4


class Answer(Generic[T]):
    """What was read, with the one field that kafka-python's connections heed."""

    def __init__(self, content: T, throttle_time_ms: int) -> None:
        self.content = content
        self.throttle_time_ms = throttle_time_ms


Read = Callable[[bytes, int, int], T]
"""Reads a body from a position on; its third argument is the version."""


class ByHand(Generic[T]):
    """A request in the shape that kafka-python's connections take, of flexible versions (KIP-482).

    `request` is negotiated and sent as ever, `body(version)` in place of its own where there is
    one; `read` gets the answer's bytes, from behind the throttle time on.
    """

    def __init__(
        self, request: Any, read: Read[T], *, body: Callable[[int], bytes] | None = None
    ) -> None:
        self._request = request
        self._read = read
        self._body = body
        # agreed on with the broker, and set, by the connection
        self.API_VERSION: int | None = None
        self.header: _Header[T] | None = None

    def __getattr__(self, name: str) -> Any:
        # what negotiates the version asks for this and that
        return getattr(self._request, name)

    @staticmethod
    def expect_response() -> bool:
        """Return that an answer is coming."""
        return True

    def with_header(self, correlation_id: int, client_id: str) -> None:
        """Take the header's values."""
        self._request.API_VERSION = self.API_VERSION
        self._request.with_header(correlation_id=correlation_id, client_id=client_id)
        self.header = _Header(self._request.header, self._read)

    def encode(self, *, framed: bool, header: bool) -> bytes:
        """Return frame, header and body."""
        if self._body is None:
            encoded: bytes = self._request.encode(framed=framed, header=header)
            return encoded
        if not (framed and header) or self.API_VERSION is None:
            raise ValueError("a request goes out framed, with its header, in one version")
        message = self._request.encode_header(flexible=True) + self._body(self.API_VERSION)
        return len(message).to_bytes(4, "big") + bytes(message)


class _Header(Generic[T]):
    """What kafka-python's parser keeps of a request until its answer comes."""

    def __init__(self, header: Any, read: Read[T]) -> None:
        self.api_key = header.request_api_key
        self.api_version = header.request_api_version
        self.correlation_id = header.correlation_id
        self._reader = _Reader(header, read)

    def get_response_class(self) -> "_Reader[T]":
        return self._reader


class _Reader(Generic[T]):
    """Reads an answer: kafka-python calls it as it would one of its own message classes."""

    def __init__(self, header: Any, read: Read[T]) -> None:
        self._version: int = header.request_api_version
        self._response = header.get_response_class()
        self._read = read

    def parse_header(self, buffer: Any) -> Any:
        return self._response.parse_header(buffer)

    def decode(self, buffer: Any) -> Answer[T]:
        body: bytes = buffer.read()
        throttled = int.from_bytes(body[:_THROTTLE_BYTES], "big", signed=True)
        try:
            return Answer(self._read(body, _THROTTLE_BYTES, self._version), throttled)
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            # a ValueError is what kafka-python takes for an answer that cannot be read
            raise ValueError(f"not what Kafka's protocol says: {error}") from error

"""Messages that kafka-python lacks, taken from kio and sent over kafka-python's connections.

So the three group descriptions (KIP-848, KIP-932, KIP-1071) share authentication, TLS, timeouts
and routing with everything else; kio gives no more than the layout of the bytes.
"""

from io import BytesIO
from typing import Any

from kio.schema.consumer_group_describe.v1.request import ConsumerGroupDescribeRequest
from kio.schema.consumer_group_describe.v1.response import ConsumerGroupDescribeResponse
from kio.schema.share_group_describe.v1.request import ShareGroupDescribeRequest
from kio.schema.share_group_describe.v1.response import ShareGroupDescribeResponse
from kio.schema.streams_group_describe.v0.request import StreamsGroupDescribeRequest
from kio.schema.streams_group_describe.v0.response import StreamsGroupDescribeResponse
from kio.serial import entity_reader, entity_writer

DESCRIPTIONS: dict[str, tuple[type[Any], type[Any]]] = {
    "consumer": (ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse),
    "share": (ShareGroupDescribeRequest, ShareGroupDescribeResponse),
    "streams": (StreamsGroupDescribeRequest, StreamsGroupDescribeResponse),
}
"""Kind of group → request and response of its description."""


class _Header:
    """What kafka-python's parser keeps of a request until its answer comes."""

    def __init__(self, request: "KioRequest", correlation_id: int, client_id: str) -> None:
        self.api_key = int(request.API_KEY)
        self.api_version = int(request.API_VERSION)
        self.correlation_id = correlation_id
        self.client_id = client_id
        self._response_class = KioResponse(request.response_type)

    def get_response_class(self) -> "KioResponse":
        return self._response_class


class _ResponseHeader:
    def __init__(self, correlation_id: int) -> None:
        self.correlation_id = correlation_id


class KioResponse:
    """Reads an answer: kafka-python calls it as it would one of its own message classes."""

    def __init__(self, response_type: type[Any]) -> None:
        self._type = response_type

    def parse_header(self, buffer: Any) -> _ResponseHeader:
        """Read a response header; all the messages here have flexible ones (KIP-482)."""
        correlation_id = int.from_bytes(buffer.read(4), "big", signed=True)
        tags = buffer.read(1)
        if tags != b"\x00":
            raise ValueError(f"unexpected tagged fields in a response header: {tags!r}")
        return _ResponseHeader(correlation_id)

    def decode(self, buffer: Any) -> Any:
        """Read the body."""
        answer, _size = entity_reader(self._type)(memoryview(buffer.read()), 0)
        return answer


class KioRequest:
    """A kio message in the shape that kafka-python's connections take."""

    def __init__(self, request: Any, response_type: type[Any]) -> None:
        self._request = request
        self.response_type = response_type
        self.API_KEY = request.__api_key__
        self.API_VERSION = request.__version__
        self.header: _Header | None = None

    @staticmethod
    def expect_response() -> bool:
        """Return that an answer is coming."""
        return True

    def with_header(self, correlation_id: int, client_id: str) -> None:
        """Take the header's values."""
        self.header = _Header(self, correlation_id, client_id)

    def encode(self, *, framed: bool, header: bool) -> bytes:
        """Return frame, header (version 2: KIP-482) and body."""
        if self.header is None or not (framed and header):
            raise ValueError("a request goes out framed and with its header")
        client = self.header.client_id.encode()
        buffer = BytesIO()
        buffer.write(int(self.API_KEY).to_bytes(2, "big"))
        buffer.write(int(self.API_VERSION).to_bytes(2, "big"))
        buffer.write(self.header.correlation_id.to_bytes(4, "big"))
        buffer.write(len(client).to_bytes(2, "big") + client + b"\x00")
        entity_writer(type(self._request))(buffer, self._request)
        body = buffer.getvalue()
        return len(body).to_bytes(4, "big") + body

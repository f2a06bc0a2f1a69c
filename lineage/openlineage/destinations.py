"""Where our events go: a server over HTTP, or a topic."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import orjson
from django.conf import settings

from broker.connection import Connection
from broker.errors import BrokerError
from broker.produce import RecordWriter
from catalog.actions import connection_of
from catalog.models import Cluster
from lineage.openlineage.errors import EmissionError, ReceiverAwayError, ReceiverRefusedError

_TIMEOUT = 10.0
_SHOWN = 300
_LONGEST_NAME = 250
# it is not the event that is refused so
_LATER = frozenset({401, 403, 404, 408, 425, 429})


class Destination(Protocol):
    """Takes events, one after the other; `name` tells it from others and holds no secret."""

    name: str

    def send(self, event: Mapping[str, Any]) -> None:
        """Deliver an event; raises ReceiverAwayError, ReceiverRefusedError."""

    def close(self) -> None:
        """Give back what it holds."""


class HttpDestination:
    """A server that takes OpenLineage over HTTP, as Marquez, DataHub and Insideout do."""

    def __init__(self, url: str, endpoint: str, key: str = "") -> None:
        """Raise EmissionError when the URL is none of HTTP's."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise EmissionError("OPENLINEAGE_URL: expected http(s)://HOST[:PORT]")
        self._url = f"{url.rstrip('/')}/{endpoint.lstrip('/')}"
        self._headers = {"Content-Type": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        host = parts.netloc.rpartition("@")[2]
        shown = urlunsplit((parts.scheme, host, urlsplit(self._url).path, "", ""))
        self.name = shown[:_LONGEST_NAME]

    def send(self, event: Mapping[str, Any]) -> None:
        """Post the event."""
        request = urllib.request.Request(  # noqa: S310  (the scheme was checked)
            self._url, orjson.dumps(event), self._headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
                answer.read(_SHOWN)
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(_SHOWN).decode(errors="replace")
            message = f"{self.name}: HTTP {error.code}: {said}"
            if error.code < 500 and error.code not in _LATER:
                raise ReceiverRefusedError(message) from None
            raise ReceiverAwayError(message) from None
        except (OSError, http.client.HTTPException) as error:
            raise ReceiverAwayError(f"{self.name}: {error}") from None

    def close(self) -> None:
        """Nothing is held between two events."""


class TopicDestination:
    """A topic of ours; keyed by job, as the official clients' Kafka transport does."""

    def __init__(self, topic: str, connection: Connection, timeout: float = _TIMEOUT) -> None:
        """Wait at most `timeout` seconds for each event to be kept."""
        self._topic = topic
        self._timeout = timeout
        self._writer = RecordWriter(connection, client_id="insideout-openlineage", linger_ms=0)
        self.name = f"kafka:{topic}"

    def send(self, event: Mapping[str, Any]) -> None:
        """Write the event and wait until it is kept."""
        job = event["job"]
        key = f"run:{job['namespace']}/{job['name']}".encode()
        try:
            self._writer.write(self._topic, key, orjson.dumps(event))
            self._writer.flush(self._timeout)
        except BrokerError as error:
            raise ReceiverAwayError(f"{self.name}: {error}") from error

    def close(self) -> None:
        """The producer is closed when it is collected; everything was flushed."""


def destinations() -> list[Destination]:
    """Return the destinations of the settings. Raises EmissionError when one cannot be used."""
    found: list[Destination] = []
    if settings.OPENLINEAGE_URL:
        found.append(
            HttpDestination(
                settings.OPENLINEAGE_URL,
                settings.OPENLINEAGE_ENDPOINT,
                settings.OPENLINEAGE_API_KEY,
            )
        )
    if settings.OPENLINEAGE_TOPIC:
        cluster = Cluster.objects.filter(name=settings.KAFKA_CLUSTER_NAME).first()
        if cluster is None:
            name = settings.KAFKA_CLUSTER_NAME
            raise EmissionError(f"OPENLINEAGE_TOPIC: no cluster is called {name!r}")
        found.append(TopicDestination(settings.OPENLINEAGE_TOPIC, connection_of(cluster)))
    return found

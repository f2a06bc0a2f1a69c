"""The calls that clients are known to make, call by call: what they send and what they must get.

confluent-kafka's own client sends its calls itself, and they are watched; the calls of the clients
for JavaScript, Go and Rust are sent as they were recorded (tests/clients drives them for real).
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
    Schema,
    SchemaRegistryClient,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from django.core.signals import request_started
from pytest_django.live_server_helper import LiveServer

from tests.registry.conftest import V1, Registry, record, text_of

ORDER = text_of(record(id="string", amount="int"))
SENT = {"id": "long enough", "amount": 3}
VALUE = SerializationContext("orders", MessageField.VALUE)
BINDING = "GET /associations/resources/-/orders?resourceType=topic&associationType=value"
THREE = f"application/vnd.schemaregistry+json, {V1}, application/json"
SUBJECT = "orders-value"


@dataclass
class Watched:
    """The requests that came over the wire, as `GET /path?query`, with their headers."""

    calls: list[str]
    headers: list[dict[str, str]]

    def note(self, environ: dict[str, Any], **_of_signal: Any) -> None:
        if environ["SERVER_NAME"] == "testserver":
            return
        query = environ["QUERY_STRING"]
        path = environ["PATH_INFO"] + (f"?{query}" if query else "")
        self.calls.append(f"{environ['REQUEST_METHOD']} {path}")
        names = ("HTTP_ACCEPT", "CONTENT_TYPE", "HTTP_CONFLUENT_ACCEPT_UNKNOWN_PROPERTIES")
        more = ("HTTP_CONFLUENT_CLIENT_VERSION",)
        self.headers.append({name: environ.get(name, "") for name in names + more})

    def taken(self) -> list[str]:
        """The calls since the last time."""
        found = list(self.calls)
        self.calls.clear()
        return found


@pytest.fixture
def wire(live_server: LiveServer) -> Iterator[Watched]:
    """What a live server is asked."""
    watched = Watched([], [])
    request_started.connect(watched.note)
    yield watched
    request_started.disconnect(watched.note)


@pytest.fixture
def fresh(live_server: LiveServer) -> Iterator[Callable[[], SchemaRegistryClient]]:
    """Makes official clients, each with nothing in its caches."""
    made: list[SchemaRegistryClient] = []

    def make() -> SchemaRegistryClient:
        made.append(SchemaRegistryClient({"url": live_server.url}))
        return made[-1]

    yield make
    for client in made:
        client.close()


Fresh = Callable[[], SchemaRegistryClient]


def _write(client: SchemaRegistryClient, **conf: Any) -> bytes:
    sent: bytes | None = AvroSerializer(client, ORDER, conf=conf)(dict(SENT), VALUE)
    assert sent is not None
    return sent


def test_a_record_written_and_read(wire: Watched, fresh: Fresh) -> None:
    """The binding of the topic first; there is none, so the subject is the topic's."""
    sent = _write(fresh())
    assert wire.taken() == [BINDING, f"POST /subjects/{SUBJECT}/versions?normalize=False"]
    assert AvroDeserializer(fresh())(sent, VALUE) == SENT
    assert wire.taken() == [BINDING, f"GET /schemas/ids/1?subject={SUBJECT}"]
    assert all(each["HTTP_CONFLUENT_CLIENT_VERSION"].startswith("python/") for each in wire.headers)
    get, post = wire.headers[0], wire.headers[1]
    assert post["HTTP_CONFLUENT_ACCEPT_UNKNOWN_PROPERTIES"] == "true"
    assert sorted(each.split(";")[0].strip() for each in get["HTTP_ACCEPT"].split(",")) == sorted(
        each.strip() for each in THREE.split(",")
    )
    assert (post["HTTP_ACCEPT"], post["CONTENT_TYPE"]) == ("*/*", V1)


@pytest.mark.parametrize(
    ("conf", "call"),
    [
        (
            {"auto.register.schemas": False},
            f"POST /subjects/{SUBJECT}?normalize=False&deleted=False",
        ),
        (
            {"auto.register.schemas": False, "normalize.schemas": True},
            f"POST /subjects/{SUBJECT}?normalize=True&deleted=False",
        ),
        (
            {"auto.register.schemas": False, "use.latest.version": True},
            f"GET /subjects/{SUBJECT}/versions/latest",
        ),
        (
            {"auto.register.schemas": False, "use.latest.with.metadata": {"k": "v"}},
            f"GET /subjects/{SUBJECT}/metadata?deleted=true&key=k&value=v",
        ),
    ],
)
def test_each_way_to_find_the_schema(
    wire: Watched, fresh: Fresh, conf: dict[str, Any], call: str
) -> None:
    properties = conf.get("use.latest.with.metadata")
    metadata = {"properties": properties} if properties else None
    Registry().register(SUBJECT, ORDER, metadata=metadata)
    sent = _write(fresh(), **conf)
    assert wire.taken()[:2] == [BINDING, call]
    assert AvroDeserializer(fresh())(sent, VALUE) == SENT


def test_the_guid_in_a_header(wire: Watched, fresh: Fresh) -> None:
    headers: list[tuple[str, str | bytes | None]] = []
    where = SerializationContext("orders", MessageField.VALUE, headers)
    conf = {"schema.id.serializer": header_schema_id_serializer}
    sent = AvroSerializer(fresh(), ORDER, conf=conf)(dict(SENT), where)
    guid = Registry().get(f"/subjects/{SUBJECT}/versions/1")["guid"]
    wire.taken()
    assert AvroDeserializer(fresh())(sent, where) == SENT
    assert wire.taken() == [BINDING, f"GET /schemas/guids/{guid}"]


def test_a_topic_bound_to_another_subject(wire: Watched, fresh: Fresh) -> None:
    """A serializer writes under the subject that the topic is bound to."""
    binding = AssociationCreateOrUpdateInfo(
        subject="facts-of-orders",
        association_type="value",
        lifecycle="STRONG",
        schema=Schema(ORDER, "AVRO"),
    )
    made = fresh().create_association(
        AssociationCreateOrUpdateRequest(
            resource_name="orders",
            resource_namespace="lkc1",
            resource_id="lkc1:orders",
            resource_type="topic",
            associations=[binding],
        )
    )
    assert made.associations is not None
    assert made.associations[0].subject == "facts-of-orders"
    assert wire.taken() == ["POST /associations"]
    (found,) = fresh().get_associations_by_resource_name("orders", "-", "topic", ["value"])
    assert (found.subject, found.resource_id) == ("facts-of-orders", "lkc1:orders")
    wire.taken()
    sent = _write(fresh())
    assert wire.taken() == [BINDING, "POST /subjects/facts-of-orders/versions?normalize=False"]
    assert AvroDeserializer(fresh())(sent, VALUE) == SENT
    assert wire.taken() == [BINDING, "GET /schemas/ids/1?subject=facts-of-orders"]
    fresh().delete_associations("lkc1:orders", "topic", ["value"], cascade_lifecycle=True)
    which = "cascadeLifecycle=true&resourceType=topic&associationType=value"
    assert wire.taken() == [f"DELETE /associations/resources/lkc1:orders?{which}"]
    assert fresh().get_subjects() == []


def test_every_call_of_the_client(wire: Watched, fresh: Fresh) -> None:
    client, schema = fresh(), Schema(ORDER, "AVRO")
    versions = f"/subjects/{SUBJECT}/versions"
    made = client.register_schema_full_response(SUBJECT, schema)
    assert made.guid is not None

    def asked(call: Callable[[SchemaRegistryClient], Any], answer: Any, *calls: str) -> None:
        wire.taken()
        found = call(fresh())
        assert wire.taken() == list(calls)
        assert found == answer

    page = "offset=0&limit=-1"
    asked(
        lambda c: c.get_subjects(),
        [SUBJECT],
        f"GET /subjects?deleted=false&deleted_only=false&{page}",
    )
    asked(
        lambda c: c.get_versions(SUBJECT),
        [1],
        f"GET {versions}?deleted=false&deleted_only=false&{page}",
    )
    asked(lambda c: c.get_version(SUBJECT, 1).schema_id, 1, f"GET {versions}/1?deleted=false")
    asked(lambda c: c.get_latest_version(SUBJECT).version, 1, f"GET {versions}/latest")
    asked(lambda c: c.get_referenced_by(SUBJECT, 1), [], f"GET {versions}/1/referencedby?{page}")
    asked(lambda c: c.get_schema(1).schema_type, "AVRO", "GET /schemas/ids/1")
    asked(
        lambda c: c.get_schema_by_guid(made.guid or "").schema_type,
        "AVRO",
        f"GET /schemas/guids/{made.guid}",
    )
    asked(
        lambda c: c.get_subjects_by_schema_id(1), [SUBJECT], f"GET /schemas/ids/1/subjects?{page}"
    )
    asked(
        lambda c: [(each.subject, each.version) for each in c.get_schema_versions(1)],
        [(SUBJECT, 1)],
        f"GET /schemas/ids/1/versions?{page}",
    )
    asked(lambda c: c.get_schema_types(), ["JSON", "PROTOBUF", "AVRO"], "GET /schemas/types")
    asked(lambda c: c.get_contexts(), ["."], f"GET /contexts?{page}")
    asked(
        lambda c: c.test_compatibility(SUBJECT, schema),
        True,
        f"POST /compatibility{versions}/latest?normalize=False&verbose=False",
    )
    asked(
        lambda c: c.test_compatibility_all_versions(SUBJECT, schema),
        True,
        f"POST /compatibility{versions}?normalize=False&verbose=False",
    )
    asked(lambda c: c.set_compatibility(level="FULL"), {"compatibility": "FULL"}, "PUT /config")
    asked(lambda c: c.get_compatibility(), "FULL", "GET /config")
    asked(
        lambda c: c.set_compatibility(SUBJECT, "NONE"),
        {"compatibility": "NONE"},
        f"PUT /config/{SUBJECT}",
    )
    asked(lambda c: c.get_compatibility(SUBJECT), "NONE", f"GET /config/{SUBJECT}")
    asked(lambda c: c.get_global_mode(), "READWRITE", "GET /mode")
    asked(
        lambda c: c.update_mode(SUBJECT, "READONLY"), "READONLY", f"PUT /mode/{SUBJECT}?force=False"
    )
    asked(lambda c: c.get_mode(SUBJECT), "READONLY", f"GET /mode/{SUBJECT}")
    asked(lambda c: c.delete_mode(SUBJECT), "READONLY", f"DELETE /mode/{SUBJECT}")
    asked(lambda c: c.delete_version(SUBJECT, 1), 1, f"DELETE {versions}/1")
    asked(
        lambda c: c.delete_version(SUBJECT, 1, permanent=True),
        1,
        f"DELETE {versions}/1?permanent=true",
    )


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c: c.get_latest_version("absent"), 40401),
        (lambda c: c.get_versions("absent"), 40401),
        (lambda c: c.delete_subject("absent"), 40401),
        (lambda c: c.lookup_schema("absent", Schema(ORDER, "AVRO")), 40401),
        (lambda c: c.get_latest_with_metadata("absent", {"k": "v"}), 40401),
        (lambda c: c.get_latest_with_metadata(SUBJECT, {"k": "v"}), 40403),
        (lambda c: c.lookup_schema(SUBJECT, Schema('"int"', "AVRO")), 40403),
        (lambda c: c.get_version(SUBJECT, 7), 40402),
        (lambda c: c.get_schema(77), 40403),
        (lambda c: c.get_schema_by_guid("00000000-0000-0000-0000-000000000000"), 40403),
        (lambda c: c.get_compatibility(SUBJECT), 40408),
        (lambda c: c.get_mode(SUBJECT), 40409),
        (lambda c: c.get_associations_by_resource_name("orders", "-", "topic"), 40410),
        # an address that does not exist has a code of its own, and not the client's -1
        (lambda c: c._rest_client.get("schemas/nothing"), 404),
        (lambda c: c._rest_client.get("subjects/a/b/c"), 405),
    ],
)
def test_what_is_not_there(fresh: Fresh, call: Callable[[Any], Any], code: int) -> None:
    Registry().register(SUBJECT, ORDER)
    with pytest.raises(SchemaRegistryError) as caught:
        call(fresh())
    assert int(caught.value.error_code) == code


def _send(
    url: str, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, str, Any]:
    """A request with these headers and none of urllib's own; answers status, type and JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, method=method)
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers["Content-Type"], json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers["Content-Type"], json.load(refused)


def test_calls_of_other_clients(live_server: LiveServer) -> None:
    url, avro = live_server.url, {"schema": ORDER}
    # @kafkajs/confluent-schema-registry asks for the config first, and sends no schemaType
    status, _, body = _send(url, "GET", f"/config/{SUBJECT}")
    assert (status, set(body)) == (404, {"error_code", "message"})
    assert body["error_code"] == 40408
    status, _, body = _send(url, "POST", f"/subjects/{SUBJECT}/versions", avro, Content_Type=V1)
    assert (status, body["id"]) == (200, 1)
    level = {"compatibility": "BACKWARD"}
    status, _, body = _send(url, "PUT", f"/config/{SUBJECT}", level, Content_Type=V1)
    assert (status, body) == (200, level)
    # @confluentinc/schemaregistry would have its JSON plain, and sends a type with every GET
    axios = {"Accept": "application/json, text/plain, */*", "Content_Type": V1}
    status, kind, body = _send(url, "GET", BINDING.removeprefix("GET "), **axios)
    assert (status, kind, body["error_code"]) == (404, "application/json", 40410)
    path = f"/subjects/{SUBJECT}/versions?normalize=false"
    status, kind, body = _send(url, "POST", path, avro, **axios)
    assert (status, kind, body["version"]) == (200, "application/json", 1)
    # franz-go registers, asks for the versions of the id, and reads that version
    go = {"Accept": V1, "Content_Type": V1}
    status, kind, body = _send(url, "GET", "/schemas/ids/1/versions", **go)
    assert (status, kind, body) == (200, V1, [{"subject": SUBJECT, "version": 1}])
    status, _, body = _send(url, "GET", f"/subjects/{SUBJECT}/versions/1", **go)
    assert (body["id"], body["schema"], "schemaType" in body) == (1, json_text(ORDER), False)
    assert "references" not in body
    path = f"/compatibility/subjects/{SUBJECT}/versions/latest"
    assert _send(url, "POST", path, avro, **go)[2] == {"is_compatible": True}
    # schema_registry_converter reads ids of deleted subjects too
    status, _, body = _send(url, "GET", "/schemas/ids/1?deleted=true", Accept=V1)
    assert (status, body["schema"]) == (200, json_text(ORDER))


def json_text(text: str) -> str:
    """JSON as the registry keeps it: compact."""
    return json.dumps(json.loads(text), separators=(",", ":"))

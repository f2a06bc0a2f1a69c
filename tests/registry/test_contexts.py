"""Contexts: /contexts, /contexts/{c}, and everything below /contexts/{c}/."""

from tests.registry.conftest import Registry


def test_the_list(registry: Registry) -> None:
    assert registry.get("/contexts") == ["."]
    registry.register(":.b:s", '"int"')
    registry.register(":.a:s", '"int"')
    assert registry.get("/contexts") == [".", ".a", ".b"]
    assert registry.get("/contexts?offset=1&limit=1") == [".a"]
    assert registry.get("/contexts?contextPrefix=.b") == [".b"]


def test_ids_are_counted_by_context(registry: Registry) -> None:
    registry.register("s", '"string"')
    assert registry.register("s", '"int"', prefix="/contexts/.c")["id"] == 1
    assert registry.get("/contexts/.c/subjects/s/versions/1")["subject"] == ":.c:s"
    assert registry.get("/subjects/:.c:s/versions/1")["schema"] == '"int"'
    assert registry.get("/subjects/:.:s/versions/1")["subject"] == "s"


def test_every_kind_of_operation_below_a_context(registry: Registry) -> None:
    below = "/contexts/c"
    registry.register("s", '"int"', prefix=below)
    body = {"schema": '"int"'}
    assert registry.call("POST", f"{below}/subjects/s", body)[1]["subject"] == ":.c:s"
    checked = registry.call("POST", f"{below}/compatibility/subjects/s/versions/1", body)
    assert checked == (200, {"is_compatible": True})
    registry.call("PUT", f"{below}/mode/s", {"mode": "READONLY"})
    assert registry.get("/mode/:.c:s") == {"mode": "READONLY"}
    assert registry.get(f"{below}/schemas/types") == ["JSON", "PROTOBUF", "AVRO"]
    assert registry.error("GET", f"{below}/nothing") == (404, 404)


def test_deleting(registry: Registry) -> None:
    registry.register(":.c:s", '"int"')
    assert registry.error("DELETE", "/contexts/.c") == (422, 42211)
    registry.call("DELETE", "/subjects/:.c:s")
    registry.call("DELETE", "/subjects/:.c:s?permanent=true")
    assert registry.call("DELETE", "/contexts/.c") == (204, None)
    assert registry.get("/contexts") == ["."]
    assert registry.register(":.c:s", '"int"')["id"] == 2


def test_references_stay_in_their_context(registry: Registry) -> None:
    item = '{"type":"record","name":"Item","fields":[]}'
    registry.register(":.c:item", item)
    reference = {"name": "Item", "subject": "item", "version": 1}
    registry.register(":.c:s", '{"type":"array","items":"Item"}', references=[reference])
    shown = registry.get("/subjects/:.c:s/versions/1")["references"]
    assert shown == [reference]
    qualified = registry.get("/subjects/:.c:s/versions/1?referenceFormat=qualified")
    assert qualified["references"] == [{**reference, "subject": ":.c:item"}]
    assert registry.get("/subjects/:.c:item/versions/1/referencedby") == [2]


def test_reads_of_a_plain_subject_look_into_every_context(registry: Registry) -> None:
    registry.register("s", '"string"')
    registry.register(":.c:s", '"int"')
    registry.register(":.c:s", '"long"')
    assert registry.get("/subjects/s/versions/1")["subject"] == "s"
    assert registry.get("/subjects/s/versions/2")["subject"] == ":.c:s"
    assert registry.error("GET", "/subjects/s/versions/3") == (404, 40402)
    status, found = registry.call("POST", "/subjects/s", {"schema": '"int"'})
    assert (status, found["subject"]) == (200, ":.c:s")
    assert registry.error("POST", "/subjects/s", {"schema": '"bytes"'}) == (404, 40403)


def test_lists_and_writes_stay_in_the_default_context(registry: Registry) -> None:
    registry.register(":.c:s", '"int"')
    assert registry.get("/subjects/s/versions/latest")["subject"] == ":.c:s"
    for method, path in [
        ("DELETE", "/subjects/s"), ("DELETE", "/subjects/s/versions/1"),
        ("GET", "/subjects/s/versions"), ("GET", "/subjects/s/metadata"),
    ]:  # fmt: skip
        assert registry.error(method, path) == (404, 40401), (method, path)
    assert registry.error("POST", "/subjects/s", {"schema": '"string"'}) == (404, 40401)
    body = registry.call("POST", "/compatibility/subjects/s/versions", {"schema": '"string"'})
    assert body == (200, {"is_compatible": True})
    assert registry.register("s", '"string"')["version"] == 1


def test_the_default_context_by_its_name(registry: Registry) -> None:
    assert registry.get("/config/:.:") == {"compatibilityLevel": "BACKWARD"}
    assert registry.get("/mode/:.:") == {"mode": "READWRITE"}
    registry.call("PUT", "/config/:.:", {"compatibility": "FULL"})
    assert registry.get("/config") == {"compatibilityLevel": "FULL"}
    assert registry.call("DELETE", "/config/:.:") == (200, {"compatibilityLevel": "FULL"})
    assert registry.call("DELETE", "/config/:.:")[0] == 200


def test_scopes_that_are_none(registry: Registry) -> None:
    for scope in (":*:", ":.__GLOBAL:s", ":.c:__GLOBAL", ":.c:__EMPTY"):
        for room, body in (("config", {"compatibility": "NONE"}), ("mode", {"mode": "READONLY"})):
            assert registry.error("PUT", f"/{room}/{scope}", body) == (422, 42208), scope
    registry.register(":.c:s", '"int"')
    assert registry.get("/contexts?contextPrefix=:.c:") == [".c"]

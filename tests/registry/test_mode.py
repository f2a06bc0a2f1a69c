"""GET, PUT, DELETE /mode and /mode/{s}, and what each mode lets through."""

import pytest

from tests.registry.conftest import Registry

BODY = {"schema": '"string"'}


def test_set_read_delete(registry: Registry) -> None:
    assert registry.get("/mode") == {"mode": "READWRITE"}
    assert registry.call("PUT", "/mode", {"mode": "readonly"}) == (200, {"mode": "READONLY"})
    assert registry.get("/mode") == {"mode": "READONLY"}
    assert registry.call("DELETE", "/mode") == (200, {"mode": "READONLY"})
    assert registry.get("/mode") == {"mode": "READWRITE"}


def test_a_subjects_own(registry: Registry) -> None:
    status, body = registry.call("GET", "/mode/s")
    assert (status, body["error_code"]) == (404, 40409)
    assert body["message"] == "Subject 's' does not have subject-level mode configured"
    assert registry.get("/mode/s?defaultToGlobal=true") == {"mode": "READWRITE"}
    registry.call("PUT", "/mode/s", {"mode": "READONLY"})
    assert registry.get("/mode/s") == {"mode": "READONLY"}
    assert registry.call("DELETE", "/mode/s") == (200, {"mode": "READONLY"})
    assert registry.error("DELETE", "/mode/s") == (404, 40401)


def test_what_is_refused(registry: Registry) -> None:
    for body in ({"mode": "X"}, {}, {"mode": 1}):
        assert registry.error("PUT", "/mode", body) == (422, 42204)
    assert registry.error("PUT", "/mode/s", {"mode": "FORWARD"}) == (422, 42204)
    assert registry.error("PUT", "/mode/__GLOBAL", {"mode": "READONLY"}) == (422, 42208)


@pytest.mark.parametrize("scope", ["", "/s", "/:.__GLOBAL:"])
@pytest.mark.parametrize("mode", ["READONLY", "READONLY_OVERRIDE"])
def test_read_only(registry: Registry, scope: str, mode: str) -> None:
    registry.register("s", '"int"')
    registry.call("PUT", f"/mode{scope}", {"mode": mode})
    path = "/subjects/s/versions"
    assert registry.error("POST", path, BODY) == (422, 42205)
    assert registry.error("DELETE", "/subjects/s") == (422, 42205)
    assert registry.error("DELETE", f"{path}/1") == (422, 42205)
    assert registry.get(path) == [1]


def test_read_only_is_undone_below(registry: Registry) -> None:
    registry.call("PUT", "/mode", {"mode": "READONLY"})
    registry.call("PUT", "/mode/s", {"mode": "READWRITE"})
    assert registry.register("s", '"int"')["id"] == 1
    registry.call("PUT", "/mode", {"mode": "READONLY_OVERRIDE"})
    assert registry.error("POST", "/subjects/s/versions", BODY) == (422, 42205)


def test_forward_refuses_writes(registry: Registry) -> None:
    registry.call("PUT", "/mode", {"mode": "FORWARD"})
    assert registry.error("POST", "/subjects/s/versions", BODY) == (422, 42205)


def test_import_keeps_ids_and_versions(registry: Registry) -> None:
    assert registry.error("POST", "/subjects/s/versions", {**BODY, "id": 7}) == (422, 42205)
    registry.call("PUT", "/mode/s", {"mode": "IMPORT"})
    made = registry.register("s", '"string"', id=7, version=3)
    assert (made["id"], made["version"]) == (7, 3)
    assert registry.register("s", '"string"', id=7, version=3) == made
    assert registry.register("s", '"int"', id=3, version=1)["version"] == 1
    assert registry.get("/subjects/s/versions") == [1, 3]
    other = {"schema": '"long"', "id": 7}
    assert registry.error("POST", "/subjects/s/versions", other) == (422, 42205)
    assert registry.error("POST", "/subjects/s/versions", {"schema": '"bytes"'}) == (422, 42205)
    again = {**BODY, "id": 9}
    status, body = registry.call("POST", "/subjects/s/versions", again)
    assert (status, body["error_code"]) == (422, 42207)
    assert body["message"] == "Schema already registered with id 7 instead of input id 9"
    registry.call("PUT", "/mode/s", {"mode": "READWRITE"})
    assert registry.register("t", '"double"')["id"] == 8


def test_what_is_registered_is_answered_in_any_mode(registry: Registry) -> None:
    made = registry.register("s", '"string"')
    for mode in ("READONLY", "READONLY_OVERRIDE", "IMPORT", "READWRITE"):
        assert registry.call("PUT", "/mode/s?force=true", {"mode": mode})[0] == 200
        assert registry.register("s", '"string"') == made
        assert registry.register("s", '"string"', id=made["id"]) == made
    assert registry.error("POST", "/subjects/s/versions", {**BODY, "id": 9}) == (422, 42205)


def test_import_needs_an_empty_scope(registry: Registry) -> None:
    registry.register("s", '"int"')
    for path in ("/mode", "/mode/s"):
        status, body = registry.call("PUT", path, {"mode": "IMPORT"})
        assert (status, body["error_code"]) == (422, 42205)
        assert body["message"] == "Cannot import since found existing subjects"
    assert registry.call("PUT", "/mode?force=true", {"mode": "IMPORT"})[0] == 200


def test_recursive_delete(registry: Registry) -> None:
    registry.call("PUT", "/mode/s", {"mode": "READONLY"})
    registry.call("PUT", "/mode", {"mode": "READONLY"})
    registry.call("DELETE", "/mode?recursive=true")
    assert registry.error("GET", "/mode/s") == (404, 40409)

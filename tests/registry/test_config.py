"""GET, PUT, DELETE /config and /config/{s}."""

import pytest

from registry.actions.config import LEVELS
from tests.registry.conftest import Registry


@pytest.mark.parametrize("level", LEVELS)
def test_every_level(registry: Registry, level: str) -> None:
    assert registry.call("PUT", "/config", {"compatibility": level.lower()}) == (
        200,
        {"compatibility": level},
    )
    assert registry.get("/config") == {"compatibilityLevel": level}


def test_the_default(registry: Registry) -> None:
    assert registry.get("/config") == {"compatibilityLevel": "BACKWARD"}
    registry.call("PUT", "/config", {"compatibility": "FULL"})
    assert registry.call("DELETE", "/config") == (200, {"compatibilityLevel": "FULL"})
    assert registry.get("/config") == {"compatibilityLevel": "BACKWARD"}


def test_a_subjects_own(registry: Registry) -> None:
    status, body = registry.call("GET", "/config/s")
    assert (status, body) == (
        404,
        {
            "error_code": 40408,
            "message": "Subject 's' does not have subject-level compatibility configured",
        },
    )
    assert registry.get("/config/s?defaultToGlobal=true") == {"compatibilityLevel": "BACKWARD"}
    registry.call("PUT", "/config/s", {"compatibility": "FORWARD"})
    assert registry.get("/config/s") == {"compatibilityLevel": "FORWARD"}
    assert registry.call("DELETE", "/config/s") == (200, {"compatibilityLevel": "FORWARD"})
    assert registry.error("DELETE", "/config/s") == (404, 40401)


def test_the_rest_of_the_fields(registry: Registry) -> None:
    fields = {
        "alias": "other",
        "normalize": True,
        "validateFields": True,
        "compatibilityGroup": "application.major.version",
        "compatibilityPolicy": "LENIENT",
        "defaultMetadata": {"properties": {"owner": "a"}},
        "overrideRuleSet": {
            "domainRules": [
                {
                    "name": "r",
                    "kind": "CONDITION",
                    "mode": "WRITE",
                    "type": "CEL",
                    "disabled": False,
                }
            ]
        },
    }
    assert registry.call("PUT", "/config/s", fields) == (200, fields)
    assert registry.get("/config/s") == fields
    registry.call("PUT", "/config/s", {"compatibility": "FULL", "alias": None})
    found = registry.get("/config/s")
    assert found["compatibilityLevel"] == "FULL"
    assert "alias" not in found
    assert found["normalize"] is True


def test_what_is_refused(registry: Registry) -> None:
    status, body = registry.call("PUT", "/config", {"compatibility": "SOMEWHAT"})
    assert (status, body["error_code"]) == (422, 42203)
    assert body["message"] == (
        "Invalid compatibility level. Valid values are none, backward, forward, full, "
        "backward_transitive, forward_transitive, and full_transitive"
    )
    assert registry.error("PUT", "/config/s", {"compatibilityPolicy": "X"}) == (422, 42203)
    assert registry.error("PUT", "/config/__GLOBAL", {"compatibility": "NONE"}) == (422, 42208)
    rules = {"domainRules": [{"name": "r", "mode": "UPGRADE", "type": "CEL"}]}
    assert registry.error("PUT", "/config/s", {"defaultRuleSet": rules}) == (422, 42210)
    registry.call("PUT", "/mode/s", {"mode": "READONLY"})
    assert registry.error("PUT", "/config/s", {"compatibility": "NONE"}) == (422, 42205)


def test_inheritance(registry: Registry) -> None:
    registry.call("PUT", "/config/:.__GLOBAL:", {"compatibility": "FULL"})
    assert registry.get("/config/s?defaultToGlobal=true")["compatibilityLevel"] == "FULL"
    registry.call("PUT", "/contexts/.c/config", {"compatibility": "NONE"})
    assert registry.get("/config/:.c:")["compatibilityLevel"] == "NONE"
    assert registry.get("/config/:.c:s?defaultToGlobal=true")["compatibilityLevel"] == "NONE"
    assert registry.get("/contexts/.c/config/s?defaultToGlobal=true") == {
        "compatibilityLevel": "NONE"
    }
    assert registry.get("/config/s?defaultToGlobal=true")["compatibilityLevel"] == "FULL"


def test_an_alias_stands_for_its_subject(registry: Registry) -> None:
    registry.register("real", '"string"')
    registry.call("PUT", "/config/nick", {"alias": "real"})
    assert registry.get("/subjects/nick/versions/latest")["subject"] == "real"
    assert registry.get("/subjects/nick/versions") == [1]
    assert registry.register("nick", '"string"')["version"] == 1

"""What a connector whose target cannot be used is shown as."""

from threading import Timer

import pytest

from catalog.actions import ensure_cluster
from lineage.connectors.actions import ConnectorView, declare, describe_connector
from lineage.connectors.copying import Copier
from lineage.connectors.models import Connector
from tests.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def copy_to(target: str) -> ConnectorView:
    """Let a copier try for a moment."""
    ensure_cluster("local", "127.0.0.1:1")
    declare({"name": "c", "topics": ["orders"], "target": target, "table": "orders"})
    copier = Copier(Connector.objects.select_related("cluster").get(), "worker")
    end = Timer(0.3, copier.stop)
    end.start()
    copier.run()
    end.join()
    return describe_connector("c")


def test_of_a_kind_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPIES_AT", "oracle://me:hush@db/x")
    view = copy_to("${COPIES_AT}")
    assert view.state == "stopped"
    assert "oracle: a target is sqlite:///PATH, postgresql://…, " in view.message
    assert view.message.endswith("declare it otherwise")
    assert "hush" not in view.message


def test_whose_variable_is_not_set_may_come_with_the_next_worker() -> None:
    view = copy_to("${COPIES_NOWHERE}")
    assert view.state == "starting"
    assert view.message == "the target needs COPIES_NOWHERE, which is not set (trying again)"


def test_that_does_not_answer() -> None:
    view = copy_to(f"postgresql://me:hush@127.0.0.1:{free_port()}/x")
    assert view.state == "starting"
    assert view.message.endswith("(trying again)")
    assert "hush" not in view.message

"""A copy that differs from its log is a finding about the copy."""

from datetime import timedelta

from catalog import policies
from catalog.observation import CopyState
from catalog.policies.contract import Snapshot
from tests.catalog.conftest import NOW


def copy(differing: int) -> CopyState:
    return CopyState(
        "orders_copy",
        ("orders",),
        differing,
        NOW - timedelta(minutes=3),
        NOW - timedelta(hours=50),
    )


def test_a_copy_that_differs_is_an_error_with_its_since_when() -> None:
    (found,) = policies.check(Snapshot(NOW, copies=(copy(1200),)))
    assert (found.id, found.severity) == ("diverged-copy/copy/orders_copy", "error")
    assert found.message.startswith("1,200 keys differ from orders, as an audit found 3 min ago")
    assert "first was seen 2 d ago" in found.message
    (found,) = policies.check(Snapshot(NOW, copies=(copy(1),)))
    assert found.message.startswith("1 key differs from orders")


def test_a_copy_that_equals_its_log_is_none() -> None:
    assert policies.check(Snapshot(NOW, copies=(copy(0),))) == []

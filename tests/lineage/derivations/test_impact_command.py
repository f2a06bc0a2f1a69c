import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Cluster
from tests.lineage.derivations.test_fields_api import ORDER, avro, cluster

__all__ = ["cluster"]
pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("lineage_impact", *words, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_prints_what_it_reaches_and_ends_with_1(cluster: Cluster) -> None:
    code, text = run("topic:orders")
    assert code == 1
    assert "certain    1  copy:orders_pg [amount, customer_id, id, items]: gets no more" in text
    assert text.endswith("drop: 1 services, 0 actors, 1 topics, 2 copies, 10 fields, 0 contexts\n")


def test_ends_as_ci_asks(cluster: Cluster, tmp_path: Path) -> None:
    field = ("topic:invoices", "--field", "customer_id")
    assert run(*field)[0] == 1
    assert run(*field, "--fail-on", "certain")[0] == 1
    assert run("topic:invoices", "--fail-on", "never")[0] == 0
    assert run(*field, "--fail-on", "incompatible")[0] == 0
    schema = tmp_path / "order.avsc"
    schema.write_text(avro("Order", [*ORDER, {"name": "must", "type": "string"}]).text)
    code, text = run("--subject", "orders-value", "--schema", str(schema), "--json")
    assert code == 1
    assert json.loads(text)["verdict"]["compatible"] is False
    schema.write_text(avro("Order", [*ORDER, {"name": "n", "type": "int", "default": 1}]).text)
    assert run("topic:orders", "--schema", str(schema))[0] == 0


@pytest.mark.parametrize(
    "words", [(), ("nothing",), ("topic:orders", "--as-of", "soon"), ("orders", "--schema", "/no")]
)
def test_what_cannot_be_answered_ends_with_2(cluster: Cluster, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("lineage_impact", *words)
    assert refused.value.returncode == 2

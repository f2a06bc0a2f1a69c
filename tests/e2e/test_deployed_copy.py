"""The page of a copy that Kafka Connect keeps, as a browser shows it."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser

from lineage.connectors.deployment.models import Deployment
from tests.e2e.estate import Estate
from tests.e2e.test_pages import AUDIT, AXE, SIDEWAYS

TRACE = "org.apache.kafka.connect.errors.ConnectException: " + "x" * 300 + "\n\tat y\n"


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_it_is_accessible_and_fits(
    browser: Browser, live_server: Any, estate: Estate, settings: Any, theme: str, width: int
) -> None:
    settings.KAFKA_CONNECT_URLS = ["http://127.0.0.1:1"]
    connector = estate.connector
    connector.definition = {
        "name": connector.name,
        "topics": connector.topics,
        "target": "postgresql://me:hush@db/x",
        "table": connector.table,
        "engine": "connect",
    }
    connector.save()
    Deployment.objects.create(
        connector=connector,
        connect="http://127.0.0.1:1",
        deployed_at=timezone.now(),
        config={"connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector"},
        state="FAILED",
        message=TRACE.partition("\n")[0],
        task_states=[{"id": 0, "state": "FAILED", "worker": "10.0.0.1:8083", "trace": TRACE}],
        seen_at=timezone.now(),
    )
    context = browser.new_context(
        base_url=str(live_server),
        bypass_csp=True,
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    page.goto(f"/copies/{connector.name}")
    for summary in page.locator("#deployment summary").all():
        summary.click()
    assert page.evaluate(SIDEWAYS) == 0
    page.add_script_tag(content=AXE)
    assert page.evaluate(AUDIT) == []
    context.close()

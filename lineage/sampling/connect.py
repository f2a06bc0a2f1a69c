"""Who writes and reads: connectors that run, as Kafka Connect's own REST interface tells."""

import json
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings

from broker.errors import BrokerError
from lineage.ledger import Observation
from lineage.sampling.sampler import Sample, View

_SECONDS = 5.0
_LARGEST_ANSWER = 8 * 1024 * 1024
_LIVE = frozenset({"RUNNING", "PAUSED"})
_UNTRACKED = frozenset({403, 404})


class Connect:
    """Connector → topic and topic → connector for each running one, from KAFKA_CONNECT_URLS.

    Topics are those that Connect tracked (KIP-558), never guessed from a prefix; where it does
    not track, a sink's are those it names in its configuration. What Debezium writes for itself
    (schema changes, transactions, heartbeats) is no data. A worker that is joined to another
    cluster is passed over.
    """

    name = "connect"
    permissions: tuple[str, ...] = ("GET on Kafka Connect's REST interface",)

    def sample(self, view: View) -> Sample:
        """Ask each worker for its connectors, and for the topics of those that run."""
        observations: list[Observation] = []
        problems: dict[str, str] = {}
        for url in settings.KAFKA_CONNECT_URLS:
            try:
                observations += _ask(url.rstrip("/"), view, problems)
            except (requests.RequestException, ValueError, TypeError, KeyError) as error:
                problems[_shown(url)] = _reason(error)
        if problems and not observations and len(problems) >= len(settings.KAFKA_CONNECT_URLS):
            raise BrokerError("; ".join(f"{url}: {why}" for url, why in sorted(problems.items())))
        return Sample(observations, problems=problems)


def _shown(url: str) -> str:
    """Return an address without the user and password that it may hold."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_SECONDS:g} s"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached"
    return f"its answer cannot be read ({type(error).__name__})"


def _get(url: str) -> Any:
    with requests.get(url, timeout=_SECONDS, stream=True, allow_redirects=False) as answer:
        answer.raise_for_status()
        body = answer.raw.read(_LARGEST_ANSWER + 1, decode_content=True)
    if len(body) > _LARGEST_ANSWER:
        raise ValueError("too large")
    return json.loads(body)


def _ask(url: str, view: View, problems: dict[str, str]) -> list[Observation]:
    if _get(f"{url}/")["kafka_cluster_id"] != view.layout.cluster_id:
        return []
    listed = _get(f"{url}/connectors?expand=info&expand=status")
    found = []
    for name, told in listed.items():
        info, status = told.get("info", {}), told.get("status", {})
        if status.get("connector", {}).get("state") not in _LIVE:
            continue
        if not any(task.get("state") == "RUNNING" for task in status.get("tasks", ())):
            continue
        config = info.get("config", {})
        topics = _topics(url, name, info.get("type"), config, problems)
        detail = {
            "connector": name,
            "class": config.get("connector.class", ""),
            "tasks": len(status.get("tasks", ())),
        }
        found += [
            _observation(view, name, info.get("type"), config, topic, detail)
            for topic in sorted(topics - own_topics(config))
            if view.is_shared(topic)
        ]
    return found


def _topics(
    url: str, name: str, kind: str | None, config: dict[str, str], problems: dict[str, str]
) -> set[str]:
    try:
        answer = _get(f"{url}/connectors/{quote(name, safe='')}/topics")
    except requests.HTTPError as error:
        if error.response is None or error.response.status_code not in _UNTRACKED:
            raise
        problems[name] = "its worker does not track topics (topic.tracking.enable)"
        named = config.get("topics", "") if kind == "sink" else ""
        return {it.strip() for it in named.split(",") if it.strip()}
    return set(answer[name]["topics"])


def _observation(
    view: View, name: str, kind: str | None, config: dict[str, str], topic: str, detail: Any
) -> Observation:
    """A sink is the group it reads with; a source the client that its first task writes with."""
    if kind == "sink":
        group = config.get("consumer.override.group.id") or f"connect-{name}"
        return Observation("topic", topic, "group", group, "connect", view.at, detail)
    client = config.get("producer.override.client.id") or f"connector-producer-{name}-0"
    return Observation("client_id", client, "topic", topic, "connect", view.at, detail)


def own_topics(config: dict[str, str]) -> set[str]:
    """Return the topics that a Debezium connector writes about itself, by its configuration.

    The schema changes go to a topic called as the prefix itself, and transactions to
    `<prefix>.transaction`; heartbeats, and the history of schemas, to topics of their own.
    """
    if "debezium" not in config.get("connector.class", "").lower():
        return set()
    prefix = config.get("topic.prefix") or config.get("database.server.name") or ""
    if not prefix:
        return set()
    transactions = config.get("topic.transaction") or "transaction"
    heartbeat = config.get("topic.heartbeat.prefix") or "__debezium-heartbeat"
    history = {
        value for key, value in config.items() if key.endswith("history.internal.kafka.topic")
    }
    return {prefix, f"{prefix}.{transactions}", f"{heartbeat}.{prefix}", *history}

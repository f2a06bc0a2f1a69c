"""Kafka Connect's REST interface: what deploying and watching a connector needs of it.

The address is a setting, never what a request says. Redirects are not followed, answers are
bounded, and every failure becomes one of three errors that say what to do.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from lineage.connectors.deployment.errors import (
    ConnectRefusedError,
    ConnectUnavailableError,
    DeploymentMissingError,
)

# validating a sink loads its classes, which a worker that just started does slowly
SECONDS = 20.0
_LARGEST_ANSWER = 8 * 1024 * 1024
_LONGEST_MESSAGE = 2_000
_REBALANCING = 409


class ConnectCluster:
    """One Connect cluster, through the worker at `url`."""

    def __init__(self, url: str, seconds: float = SECONDS) -> None:
        """`seconds` bound each request."""
        self._url = url.rstrip("/")
        self._seconds = seconds
        self.shown = shown(url)

    def kafka_cluster_id(self) -> str:
        """Return the id of the Kafka cluster that the workers read."""
        return str(self._ask("GET", "/").get("kafka_cluster_id", ""))

    def plugins(self) -> frozenset[str]:
        """Return the classes that are installed: connectors, converters, transformations."""
        listed = self._ask("GET", "/connector-plugins?connectorsOnly=false")
        return frozenset(str(plugin["class"]) for plugin in listed)

    def validate(self, config: Mapping[str, str]) -> dict[str, list[str]]:
        """Return what is wrong with a configuration, by field; empty when nothing is."""
        kind = quote(config["connector.class"], safe="")
        answer = self._ask("PUT", f"/connector-plugins/{kind}/config/validate", dict(config))
        values = [entry["value"] for entry in answer.get("configs", ())]
        return {value["name"]: value["errors"] for value in values if value.get("errors")}

    def put(self, name: str, config: Mapping[str, str]) -> None:
        """Create a connector, or change it; the same again changes nothing."""
        self._ask("PUT", f"{_path(name)}/config", dict(config))

    def status(self, name: str) -> dict[str, Any]:
        """Return the states of a connector and its tasks; raises DeploymentMissingError."""
        answer = self._ask("GET", f"{_path(name)}/status")
        if not isinstance(answer, dict):
            raise ConnectRefusedError(f"{self.shown} answers no status of {name}")
        return answer

    def pause(self, name: str) -> None:
        """Ask the tasks to wait; they keep their partitions."""
        self._ask("PUT", f"{_path(name)}/pause")

    def resume(self, name: str) -> None:
        """Ask the tasks to go on."""
        self._ask("PUT", f"{_path(name)}/resume")

    def restart(self, name: str) -> None:
        """Start the connector and its failed tasks again (KIP-745)."""
        self._ask("POST", f"{_path(name)}/restart?includeTasks=true&onlyFailed=true")

    def stop(self, name: str) -> None:
        """Let the tasks end and their partitions go (KIP-875, Connect 3.5)."""
        self._ask("PUT", f"{_path(name)}/stop")

    def forget_offsets(self, name: str) -> None:
        """Delete the offsets of a connector that is stopped: it would begin at the beginning."""
        self._ask("DELETE", f"{_path(name)}/offsets")

    def delete(self, name: str) -> None:
        """Delete a connector; raises DeploymentMissingError when there is none."""
        self._ask("DELETE", _path(name))

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            with requests.request(
                method,
                self._url + path,
                json=body,
                timeout=self._seconds,
                stream=True,
                allow_redirects=False,
            ) as answer:
                text = answer.raw.read(_LARGEST_ANSWER + 1, decode_content=True)
        except requests.Timeout:
            raise ConnectUnavailableError(
                f"{self.shown} did not answer within {self._seconds:g} s: try again"
            ) from None
        except (requests.RequestException, OSError):
            # the exception's own text may hold the address with its password
            raise ConnectUnavailableError(f"{self.shown} cannot be reached: try again") from None
        return self._read(answer.status_code, text)

    def _read(self, status: int, text: bytes) -> Any:
        try:
            read = json.loads(text) if text else {}
        except ValueError:
            read = None
        if 200 <= status < 300 and read is not None and len(text) <= _LARGEST_ANSWER:
            return read
        said = str(read.get("message", "")) if isinstance(read, dict) else ""
        message = f"{self.shown}: HTTP {status}" + (f": {said[:_LONGEST_MESSAGE]}" if said else "")
        if status == 404:
            raise DeploymentMissingError(message)
        # a rebalance that is expected, but has not begun, is told as 500
        if status == _REBALANCING or status >= 500:
            raise ConnectUnavailableError(f"{message}; try again")
        if 200 <= status < 300:
            raise ConnectUnavailableError(f"{message}, with an answer that cannot be read")
        raise ConnectRefusedError(message)


def _path(name: str) -> str:
    return f"/connectors/{quote(name, safe='')}"


def shown(url: str) -> str:
    """Return an address without the user and password that it may hold."""
    scheme, separator, rest = url.rstrip("/").partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"

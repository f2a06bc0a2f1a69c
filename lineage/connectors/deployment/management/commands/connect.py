"""`manage.py connect deploy|undeploy|restart|status|render`: copies on Kafka Connect."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from broker.errors import BrokerError
from lineage.connectors.deployment import actions, watching
from lineage.connectors.deployment.api.serializers import DeploymentSerializer
from lineage.connectors.deployment.models import Deployment
from lineage.connectors.errors import ConnectorError


class Command(BaseCommand):
    """Deploys copies on Kafka Connect, takes them back, shows them."""

    help = (
        "deploy NAME; undeploy NAME; restart NAME (failed tasks); status [NAME] (asks Connect); "
        "render NAME: the configuration, the secrets it needs, and what Connect does otherwise."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verbs."""
        verbs = ["deploy", "undeploy", "restart", "status", "render"]
        parser.add_argument("verb", choices=verbs)
        parser.add_argument("name", nargs="?", default="", help="of the connector")
        parser.add_argument("--connect", default="", help="which Kafka Connect, as HOST:PORT")
        parser.add_argument("--tasks", type=int, default=0, help="at most so many share the work")
        parser.add_argument("--json", action="store_true", help="answer as REST does")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do what the verb says; exits 1 with one line when it cannot."""
        name, verb = options["name"], options["verb"]
        if not name and verb != "status":
            raise CommandError(f"{verb}: the name of a connector is missing")
        try:
            self._act(verb, name, options)
        except (ConnectorError, BrokerError) as error:
            raise CommandError(str(error)) from error

    def _act(self, verb: str, name: str, options: dict[str, Any]) -> None:
        if verb == "status":
            self._show(name, as_json=options["json"])
            return
        if verb == "deploy":
            actions.deploy(name, options["connect"], options["tasks"])
        elif verb == "undeploy":
            actions.undeploy(name)
        elif verb == "restart":
            actions.restart(name)
        if verb == "render" or options["json"]:
            self._dump([name])
        else:
            self.stdout.write(f"{name}: {verb}ed")

    def _dump(self, names: list[str]) -> None:
        told = [DeploymentSerializer(actions.describe(name)).data for name in names]
        json.dump(told[0] if len(told) == 1 else told, sys.stdout, indent=2, default=str)
        self.stdout.write("")

    def _show(self, name: str, *, as_json: bool) -> None:
        found = [actions.find_deployment(name)] if name else list(Deployment.objects.all())
        looked = [watching.look(deployment) for deployment in found]
        if as_json:
            self._dump([each.connector.name for each in looked])
            return
        table = Table("connector", "on", "state", "tasks", "lag", "records/s", "")
        for each in looked:
            table.add_row(
                each.connector.name,
                each.connect,
                each.state,
                " ".join(str(task["state"]) for task in each.task_states),
                "" if each.lag is None else f"{each.lag:,}",
                "" if each.rows_per_second is None else f"{each.rows_per_second:,.0f}",
                each.message,
            )
        Console().print(table)

"""What the guide names exists, and what exists it names."""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import cast, get_args

from django.core.management.base import CommandParser
from django.urls import resolve

from catalog.models import Claim
from config.openapi import describe
from lineage.derivations import derivation, flows, reach
from lineage.derivations.management.commands.lineage_impact import Command

DOC = (Path(__file__).parents[3] / "docs" / "derivations.md").read_text()


def test_every_endpoint_of_the_guide_exists_and_the_other_way_round() -> None:
    named = {it.removesuffix("/1") for it in re.findall(r"/api/v1/lineage/[a-z/1]+", DOC)}
    assert {"/api/v1/lineage/derivations", "/api/v1/lineage/impact"} <= named
    paths = set(describe()["paths"])
    assert named <= paths
    for path in re.findall(r"`(/lineage/[a-z]+)", DOC):
        assert resolve(path).url_name


def test_every_certainty_and_end_of_a_claim_is_explained() -> None:
    words = {
        *get_args(derivation.Certainty),
        *get_args(flows.Certainty),
        *reach.CERTAINTIES,
        *Claim.End.values,
    }
    assert [word for word in words if word not in DOC] == []


def test_the_commands_of_the_guide_can_be_read() -> None:
    parser = ArgumentParser()
    Command().add_arguments(cast("CommandParser", parser))
    lines = re.findall(r"^manage\.py lineage_impact ([^#\n]*)", DOC, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        parser.parse_args(line.split())

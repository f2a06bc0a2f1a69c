"""Verdicts, their details and the printed text, equal to the Apache Java library's."""

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from registry.formats import check_new, get
from registry.formats.contract import SchemaInvalidError
from tests.registry.differential import generate, java

PAIRS = int(os.environ.get("AVRO_PAIRS", "20000"))
SEED = int(os.environ.get("AVRO_SEED", "20261121"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, dict[str, Any]]]:
    """Every generated pair with what the Java library answers."""
    random = Random(SEED)
    pairs = [
        (json.dumps(reader), json.dumps(writer))
        for reader, writer in (generate.make_pair(random) for _ in range(PAIRS))
    ]
    command = java.compile_java(
        Path(__file__).with_name("Judge.java"),
        "org.apache.avro:avro:1.12.1",
        tmp_path_factory.mktemp("judge"),
    )
    lines = [json.dumps({"reader": reader, "writer": writer}) for reader, writer in pairs]
    answers = java.run_lines(command, lines)
    return [(*pair, json.loads(answer)) for pair, answer in zip(pairs, answers, strict=True)]


def _ours(reader: str, writer: str) -> dict[str, Any]:
    avro = get("AVRO")
    answer: dict[str, Any] = {}
    parsed = {}
    for side, text in (("reader", reader), ("writer", writer)):
        try:
            made = avro.parse(text)
            check_new(made)
            parsed[side], answer[side] = made, made.text
        except SchemaInvalidError as refused:
            answer[f"{side}_invalid"] = str(refused)
    if len(parsed) == 2:
        answer["incompatibilities"] = [
            [found.kind, found.path, found.additional or found.description]
            for found in avro.compare(parsed["writer"], parsed["reader"])
        ]
    return answer


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without the order of its findings and the wording of a refusal."""
    refused = {key: True for key in answer if key.endswith("_invalid")}
    return {**answer, "incompatibilities": sorted(answer.get("incompatibilities", ())), **refused}


def test_every_pair_is_judged_as_java_judges_it(
    judged: list[tuple[str, str, dict[str, Any]]],
) -> None:
    apart = []
    for reader, writer, theirs in judged:
        assert "failed" not in theirs
        ours = _ours(reader, writer)
        if _comparable(ours) != _comparable(theirs):
            apart.append((reader, writer, ours, theirs))
    assert not apart, f"{len(apart)} of {len(judged)} pairs; first:\n" + "\n".join(
        map(str, apart[0])
    )
    assert len(judged) == PAIRS


def test_the_pairs_are_worth_judging(judged: list[tuple[str, str, dict[str, Any]]]) -> None:
    verdicts = [theirs.get("incompatibilities") for _, _, theirs in judged]
    kinds = {found[0] for each in verdicts for found in each or ()}
    assert len(kinds) == 6
    assert sum(each == [] for each in verdicts) > PAIRS / 6
    assert sum(each is None for each in verdicts) < PAIRS / 8

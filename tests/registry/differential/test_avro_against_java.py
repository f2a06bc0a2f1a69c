"""Verdicts, their details and the printed text, equal to the Apache Java library's."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from registry.formats import check_new, get
from registry.formats.contract import Dependency, SchemaInvalidError
from tests.registry.differential import java
from tests.registry.differential.decorate import decorate, spoil
from tests.registry.differential.generate import make_pair, make_schema

PAIRS = int(os.environ.get("AVRO_PAIRS", "20000"))
SEED = int(os.environ.get("AVRO_SEED", "20261121"))
AVRO = get("AVRO")
# Java reads both, and prints `null` and `?` in their place, which is not what was sent
REFUSED_ALONE = ("Illegal symbol: ", "a lone surrogate ")
Line = dict[str, Any]
Answer = dict[str, Any]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the Java library over lines."""
    return java.compile_java(
        Path(__file__).with_name("Judge.java"),
        "org.apache.avro:avro:1.12.1",
        tmp_path_factory.mktemp("judge"),
    )


def _answers(judge: list[str], lines: Sequence[Line]) -> list[Answer]:
    return [json.loads(each) for each in java.run_lines(judge, [json.dumps(one) for one in lines])]


@pytest.fixture(scope="module")
def judged(judge: list[str]) -> list[tuple[Line, Answer]]:
    """Every generated pair with what the Java library answers."""
    random = Random(SEED)
    pairs = [make_pair(random, decorate) for _ in range(PAIRS)]
    lines = [
        {"reader": json.dumps(reader), "writer": json.dumps(writer)} for reader, writer in pairs
    ]
    return list(zip(lines, _answers(judge, lines), strict=True))


def _ours(line: Line) -> Answer:
    answer: Answer = {}
    parsed = {}
    references = [Dependency("", text) for text in line.get("references", ())]
    for side in ("reader", "writer"):
        if side not in line:
            continue
        try:
            made = AVRO.parse(line[side], references)
        except SchemaInvalidError as refused:
            answer[f"{side}_invalid"] = str(refused)
            continue
        parsed[side], answer[side] = made, made.text
        try:
            check_new(made)
        except SchemaInvalidError as refused:
            answer[f"{side}_not_new"] = str(refused)
    if len(parsed) == 2:
        answer["incompatibilities"] = [
            [found.kind, found.path, found.additional]
            for found in AVRO.compare(parsed["writer"], parsed["reader"])
        ]
    return answer


def _comparable(answer: Answer) -> Answer:
    """The answer without the order of its findings and the wording of a refusal."""
    refused = {key: True for key in answer if key.endswith(("_invalid", "_not_new"))}
    kept = {key: each for key, each in answer.items() if not key.endswith("_canonical")}
    return {**kept, "incompatibilities": sorted(answer.get("incompatibilities", ())), **refused}


def _check_equal(judged: Sequence[tuple[Line, Answer]]) -> None:
    apart = []
    for line, theirs in judged:
        assert "failed" not in theirs, (line, theirs)
        ours = _ours(line)
        if ours.get("reader_invalid", "").startswith(REFUSED_ALONE):
            continue
        if _comparable(ours) != _comparable(theirs):
            apart.append((line, ours, theirs))
    assert not apart, f"{len(apart)} of {len(judged)}; first:\n" + "\n".join(map(str, apart[0]))


def test_every_pair_is_judged_as_java_judges_it(judged: list[tuple[Line, Answer]]) -> None:
    _check_equal(judged)
    assert len(judged) == PAIRS


def test_the_normal_form_says_the_same(judge: list[str], judged: list[tuple[Line, Answer]]) -> None:
    """Read by Java, it has the canonical form of the text and is compatible with it both ways."""
    lines, canonical = [], []
    for line, theirs in judged[: PAIRS // 4]:
        if "reader" in theirs:
            text = line["reader"]
            normal = AVRO.parse(text).normal
            lines += [{"reader": normal, "writer": text}, {"reader": text, "writer": normal}]
            canonical += [theirs["reader_canonical"]] * 2
    for line, theirs, expected in zip(lines, _answers(judge, lines), canonical, strict=True):
        assert theirs["reader_canonical"] == theirs["writer_canonical"] == expected, line
        assert [each for each in theirs["incompatibilities"] if each[0] != "AMBIGUOUS_FIELD"] == []


def test_texts_with_something_wrong(judge: list[str]) -> None:
    random = Random(SEED)
    texts = [json.dumps(decorate(random, make_schema(random))) for _ in range(PAIRS // 2)]
    lines = [{"reader": spoil(random, text)} for text in texts]
    _check_equal(list(zip(lines, _answers(judge, lines), strict=True)))


def test_texts_that_refer_to_others(judge: list[str]) -> None:
    """A pair's writer is what its reader refers to; as for one parser, its names are known."""
    random = Random(SEED)
    pairs = [make_pair(random, decorate) for _ in range(PAIRS // 4)]
    lines = [
        {"reader": json.dumps(reader), "references": [json.dumps(writer)]}
        for reader, writer in pairs
    ]
    answers = _answers(judge, lines)
    for line, theirs in zip(lines, answers, strict=True):
        ours = _ours(line)
        # what is referred to is old, and is not asked whether it could be new
        if "reader" in theirs and "reader_not_new" not in ours:
            theirs.pop("reader_not_new", None)
        assert _comparable(ours) == _comparable(theirs), (line, ours, theirs)


def test_texts_written_by_hand(judge: list[str]) -> None:
    """Names, defaults, numbers, definitions and references at the edges of what is valid."""
    listed = Path(__file__).with_name("texts.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(each) for each in listed.split("\n") if each]
    assert len(lines) > 500
    _check_equal(list(zip(lines, _answers(judge, lines), strict=True)))


def test_the_pairs_are_worth_judging(judged: list[tuple[Line, Answer]]) -> None:
    verdicts = [theirs.get("incompatibilities") for _, theirs in judged]
    kinds = Counter(found[0] for each in verdicts for found in each or ())
    assert len(kinds) == 7
    assert min(kinds.values()) > PAIRS / 400
    assert sum(each == [] for each in verdicts) > PAIRS / 6
    assert sum(each is None for each in verdicts) < PAIRS / 4

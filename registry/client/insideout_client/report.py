"""What a build shows of the results: text, JSON, GitHub annotations, JUnit or SARIF."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True)
class Result:
    """One schema's outcome; `reasons` say what is wrong, `line` where in the file, if known."""

    subject: str
    file: str
    ok: bool
    message: str
    reasons: tuple[str, ...] = ()
    line: int = 1


def line_of(text: str, reasons: Sequence[str]) -> int:
    """The line of the first thing that a reason names and the file spells, counted from 1."""
    words = [word for each in reasons for word in re.findall(r"'/?([A-Za-z_][\w.]*)'", each)]
    lines = text.splitlines()
    for word in words:
        pattern = re.compile(rf"\b{re.escape(word)}\b")
        for number, line in enumerate(lines, 1):
            if pattern.search(line):
                return number
    return 1


def _text(results: Sequence[Result]) -> str:
    lines = []
    for each in results:
        mark = "ok  " if each.ok else "FAIL"
        lines.append(f"{mark} {each.subject}  {each.file}:{each.line}  {each.message}")
        lines += [f"       {reason}" for reason in each.reasons]
    return "\n".join(lines)


def _json(results: Sequence[Result]) -> str:
    return json.dumps([asdict(each) for each in results], indent=2)


def _github(results: Sequence[Result]) -> str:
    def escaped(value: str) -> str:
        return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    lines = []
    for each in results:
        if each.ok:
            lines.append(f"::notice file={each.file}::{escaped(each.subject)}: {each.message}")
        for reason in () if each.ok else each.reasons or (each.message,):
            place = f"file={each.file},line={each.line}"
            lines.append(f"::error {place}::{escaped(f'{each.subject}: {reason}')}")
    return "\n".join(lines)


def _junit(results: Sequence[Result]) -> str:
    cases = []
    for each in results:
        head = f"<testcase classname={quoteattr(each.file)} name={quoteattr(each.subject)}"
        if each.ok:
            cases.append(f"  {head}/>")
            continue
        reasons = escape("\n".join(each.reasons))
        cases.append(f"  {head}><failure message={quoteattr(each.message)}>{reasons}</failure>")
        cases.append("  </testcase>")
    failures = sum(not each.ok for each in results)
    head = f'<testsuite name="insideout" tests="{len(results)}" failures="{failures}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>"])


def _sarif(results: Sequence[Result]) -> str:
    found = [
        {
            "ruleId": "schema-incompatible",
            "level": "error",
            "message": {"text": f"{each.subject}: {reason}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": each.file},
                        "region": {"startLine": each.line},
                    }
                }
            ],
        }
        for each in results
        if not each.ok
        for reason in each.reasons or (each.message,)
    ]
    driver = {"name": "insideout", "rules": [{"id": "schema-incompatible"}]}
    run = {"tool": {"driver": driver}, "results": found}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


FORMATS: Mapping[str, Callable[[Sequence[Result]], str]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "junit": _junit,
    "sarif": _sarif,
}

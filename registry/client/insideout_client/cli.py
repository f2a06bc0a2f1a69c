"""`insideout`: register, test-compatibility and download, with exit codes that a build can use.

0 done, 1 incompatible, 2 usage or files or refused, 3 registry unreachable.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from .report import FORMATS, Result, line_of
from .rest import Registry, RegistryRefusedError, RegistryUnreachableError, Schema

OK, INCOMPATIBLE, WRONG, UNREACHABLE = range(4)
_KINDS = {".avsc": "AVRO", ".json": "JSON", ".proto": "PROTOBUF"}
_SUFFIXES = {kind: suffix for suffix, kind in _KINDS.items()}


class UsageError(Exception):
    """Arguments or files that cannot be used."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="insideout", description=__doc__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--url",
        default=os.environ.get("SCHEMA_REGISTRY_URL", "http://localhost:8080"),
        help="the registry (default: SCHEMA_REGISTRY_URL)",
    )
    common.add_argument("--timeout", type=float, default=30.0, help="seconds to wait for an answer")
    schemas = argparse.ArgumentParser(add_help=False, parents=[common])
    schemas.add_argument("schemas", nargs="+", metavar="SUBJECT=FILE")
    schemas.add_argument("--type", choices=sorted(_SUFFIXES), help="else by the file's suffix")
    schemas.add_argument("--normalize", action="store_true", help="compare and store normal forms")
    schemas.add_argument(
        "--reference",
        action="append",
        default=[],
        metavar="NAME=SUBJECT:VERSION",
        help="what the schemas refer to (may be repeated)",
    )
    schemas.add_argument("--format", choices=sorted(FORMATS), default="text")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("register", parents=[schemas], help="register schemas")
    verbs.add_parser("test-compatibility", parents=[schemas], help="would they be accepted?")
    download = verbs.add_parser("download", parents=[common], help="write schemas to files")
    download.add_argument("subjects", nargs="+", metavar="SUBJECT[@VERSION]")
    download.add_argument("--to", type=Path, default=Path(), help="folder to write to")
    return parser


def _read(argument: str, options: argparse.Namespace) -> tuple[str, Path, Schema]:
    subject, equals, name = argument.partition("=")
    if not equals or not name:
        raise UsageError(f"{argument}: expected SUBJECT=FILE")
    file = Path(name)
    kind = options.type or _KINDS.get(file.suffix)
    if kind is None:
        raise UsageError(f"{file}: the suffix tells no kind of schema; give --type")
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}") from None
    references = tuple(_reference(each) for each in options.reference)
    return subject, file, Schema(text, kind, references)


def _reference(text: str) -> tuple[str, str, int]:
    name, _, target = text.partition("=")
    subject, _, version = target.rpartition(":")
    if not (name and subject and version.isdigit()):
        raise UsageError(f"{text}: expected NAME=SUBJECT:VERSION")
    return name, subject, int(version)


def _try_one(registry: Registry, argument: str, options: argparse.Namespace) -> Result:
    subject, file, schema = _read(argument, options)
    if options.verb == "test-compatibility":
        reasons = registry.check(subject, schema, normalize=options.normalize)
        if reasons is None:
            return Result(subject, str(file), ok=True, message="compatible")
        return _failed(subject, file, schema, reasons)
    try:
        made = registry.register(subject, schema, normalize=options.normalize)
    except RegistryRefusedError as error:
        if error.status != 409:
            raise
        return _failed(subject, file, schema, [str(error)])
    return Result(subject, str(file), ok=True, message=f"id {made['id']}")


def _failed(subject: str, file: Path, schema: Schema, reasons: Sequence[str]) -> Result:
    line = line_of(schema.text, reasons)
    return Result(subject, str(file), False, "incompatible", tuple(reasons), line)


def _download(registry: Registry, options: argparse.Namespace) -> int:
    try:
        options.to.mkdir(parents=True, exist_ok=True)
        for argument in options.subjects:
            subject, _, version = argument.partition("@")
            found = registry.find(subject, version or "latest")
            suffix = _SUFFIXES.get(found.get("schemaType", "AVRO"), ".txt")
            file = options.to / f"{quote(subject, safe='')}{suffix}"
            file.write_text(found["schema"], encoding="utf-8")
            print(f"{file}  version {found['version']}, id {found['id']}")
    except OSError as error:
        raise UsageError(str(error)) from None
    return OK


def _run(options: argparse.Namespace) -> int:
    try:
        user_info = os.environ.get("SCHEMA_REGISTRY_USER_INFO", "")
        registry = Registry(options.url, user_info, options.timeout)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if options.verb == "download":
        return _download(registry, options)
    results = [_try_one(registry, argument, options) for argument in options.schemas]
    print(FORMATS[options.format](results))
    return OK if all(result.ok for result in results) else INCOMPATIBLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the process's exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (UsageError, RegistryRefusedError) as error:
        print(f"insideout: {error}", file=sys.stderr)
        return WRONG
    except RegistryUnreachableError as error:
        print(f"insideout: {error}", file=sys.stderr)
        return UNREACHABLE


if __name__ == "__main__":
    sys.exit(main())

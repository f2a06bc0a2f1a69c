"""From a schema text and its references to compiled descriptors, within limits."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError

from registry.formats.contract import Dependency, SchemaInvalidError
from registry.formats.protobuf.compiler import COMPILER, builtin_names
from registry.formats.protobuf.descriptors import Reader
from registry.formats.protobuf.parse import parse
from registry.formats.protobuf.render import render
from registry.formats.protobuf.syntax import File

MAX_IMPORT_DEPTH = 100
MAX_PATH = 1_000
MAX_SEGMENT = 200
# The name of the schema itself among its imports; references are named by their subjects' users.
ROOT = "default"
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")


@dataclass(frozen=True, slots=True)
class Source:
    """A text that was read: its syntax tree, and the text for protoc."""

    file: File
    text: str


@dataclass
class Model:
    """A compiled schema: its syntax tree, its descriptor, and those of all it imports."""

    file: File
    root: FileDescriptorProto
    files: Mapping[str, FileDescriptorProto]

    @cached_property
    def pool(self) -> DescriptorPool:
        """A pool of all the files; SchemaInvalidError where protoc knows no limit but it does."""
        return _pool([*self.files.values(), self.root])


def build(text: str, dependencies: Sequence[Dependency]) -> Model:
    """Compile a .proto text, or a serialised FileDescriptorProto in base64."""
    text = text.removeprefix("\ufeff")
    texts = {dependency.name: dependency.text for dependency in dependencies}
    descriptor = _descriptor(text)
    source = Source(parse(text), text) if descriptor is None else _written(descriptor, texts)
    return _compile(source, texts)


def _compile(source: Source, texts: Mapping[str, str]) -> Model:
    files, builtins = _collect(source.file, texts)
    answer = COMPILER.compile(ROOT, {**files, ROOT: source.text}, builtins)
    compiled = {file.name: file for file in FileDescriptorSet.FromString(answer).file}
    root = compiled.pop(ROOT)
    if {*root.dependency, *root.option_dependency} != set(source.file.imported()):
        raise SchemaInvalidError("imports could not be read")
    return Model(source.file, root, compiled)


def _pool(files: Sequence[FileDescriptorProto]) -> DescriptorPool:
    pool = DescriptorPool()
    try:
        for file in files:
            pool.AddSerializedFile(file.SerializeToString())
    except TypeError as error:
        raise SchemaInvalidError(f"descriptors do not fit together: {error}") from error
    return pool


def _descriptor(text: str) -> FileDescriptorProto | None:
    """The descriptor that a base64 text holds; None for a .proto text."""
    if not text.strip():
        raise SchemaInvalidError("the schema is empty")
    if _BASE64.fullmatch(text) is None:
        return None
    try:
        descriptor = FileDescriptorProto.FromString(base64.b64decode(text, validate=False))
    except (binascii.Error, DecodeError) as error:
        raise SchemaInvalidError("neither .proto text nor a FileDescriptorProto") from error
    return descriptor


def _written(descriptor: FileDescriptorProto, texts: Mapping[str, str]) -> Source:
    """The text of a descriptor; its options are spelt with the help of what it imports."""
    imports = [*descriptor.dependency, *descriptor.option_dependency]
    stub = File(syntax="proto3", imports=imports)
    pool = _compile(Source(stub, render(stub)), texts).pool
    known = FileDescriptorProto()
    known.CopyFrom(descriptor)
    known.name = f"{ROOT}.descriptor"
    try:
        pool.AddSerializedFile(known.SerializeToString())
    except TypeError as error:
        raise SchemaInvalidError(f"not a valid descriptor: {error}") from error
    file = Reader(lambda: pool).file(descriptor)
    text = render(file)
    return Source(parse(text), text)


@lru_cache(maxsize=256)
def _read(text: str) -> tuple[tuple[str, ...], str | None]:
    """What a reference imports, and its .proto text (None for a descriptor in base64)."""
    descriptor = _descriptor(text)
    if descriptor is not None:
        return (*descriptor.dependency, *descriptor.option_dependency), None
    return tuple(parse(text).imported()), text


def _collect(file: File, texts: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The references in reach, by import name, and the built-in files among the imports."""
    files: dict[str, str] = {}
    builtins: set[str] = set()
    level, depth = list(file.imported()), 0
    while level:
        depth += 1
        if depth > MAX_IMPORT_DEPTH:
            raise SchemaInvalidError(f"imports nest deeper than {MAX_IMPORT_DEPTH} files")
        following: list[str] = []
        for name in level:
            if name in builtin_names():
                builtins.add(name)
            elif name not in files:
                imports, text = _reference(name, texts)
                files[name] = text
                following += imports
        level = following
    return files, sorted(builtins)


def _reference(name: str, texts: Mapping[str, str]) -> tuple[Sequence[str], str]:
    _check_path(name)
    if name not in texts:
        raise SchemaInvalidError(f'import "{name[:200]}" is not among the references')
    imports, text = _read(texts[name])
    if text is None:
        descriptor = _descriptor(texts[name])
        if descriptor is not None:
            return imports, _written(descriptor, texts).text
    return imports, text or ""


def _check_path(name: str) -> None:
    """Only names that stay within a folder and that every file system can hold."""
    parts = name.split("/")
    if (
        len(name) > MAX_PATH
        or name in {ROOT, ""}
        or any(part in {"", ".", ".."} or len(part.encode()) > MAX_SEGMENT for part in parts)
        or any(char in name for char in '\\":*')
        or not name.isprintable()
    ):
        raise SchemaInvalidError(f'import "{name[:200]}" is not a usable path')

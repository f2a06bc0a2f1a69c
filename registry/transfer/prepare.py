"""What an entry's schema is to this registry: parsed with what it refers to, and fingerprinted."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from registry import formats
from registry.actions.reading import versions_of
from registry.data_contract import canonical
from registry.errors import RegistryError, SchemaRefusedError
from registry.formats.contract import Dependency, SchemaInvalidError
from registry.identity import Reference, digest_text, fingerprint, guid
from registry.limits import check_size
from registry.naming import SubjectName
from registry.transfer.entries import Key, VersionEntry
from registry.transfer.errors import EntryInvalidError


class Content(NamedTuple):
    """What makes schemas of one context the same; see registry.identity."""

    digest: str
    metadata: str
    ruleset: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint over all of it."""
        return fingerprint(self.digest, self.metadata, self.ruleset)


class Preparer:
    """Parses entries; references lead to the other entries first, then to what is here already."""

    def __init__(self, versions: Iterable[VersionEntry]) -> None:
        self._known = {entry.key: (entry.text, entry.references) for entry in versions}

    def prepare(self, entry: VersionEntry) -> Content:
        """Check and fingerprint; EntryInvalidError says why the schema cannot be taken."""
        try:
            digest = self._digest(entry)
        except (RegistryError, SchemaInvalidError) as wrong:
            raise EntryInvalidError(str(wrong)) from None
        except RecursionError:
            raise EntryInvalidError("it is nested too deeply") from None
        return Content(digest, canonical(entry.metadata), canonical(entry.ruleset))

    def _digest(self, entry: VersionEntry) -> str:
        if entry.format not in formats.NAMES:
            raise SchemaRefusedError(f"Invalid schema type {entry.format}")
        check_size(entry.text)
        found: dict[str, Dependency] = {}
        self._gather(entry.references, entry.subject.context, found, 0)
        parsed = formats.get(entry.format).parse(entry.text, tuple(found.values()))
        # the text is kept as it came; look-ups find it by the form that this registry gives it
        same = {parsed.text, parsed.normal}
        text = entry.text if entry.text in same else parsed.text
        return digest_text(parsed.format, text, entry.references)

    def _gather(
        self,
        references: Iterable[Reference],
        context: str,
        found: dict[str, Dependency],
        depth: int,
    ) -> None:
        if depth > settings.REGISTRY_MAX_SCHEMA_DEPTH:
            raise SchemaRefusedError("its references are nested too deeply")
        for reference in references:
            if reference.name in found:
                continue
            name = SubjectName.read(reference.subject, context)
            text, inner = self._find((name, reference.version))
            self._gather(inner, name.context, found, depth + 1)
            found[reference.name] = Dependency(reference.name, text)

    def _find(self, key: Key) -> tuple[str, tuple[Reference, ...]]:
        if key not in self._known:
            name, number = key
            row = versions_of(name, deleted=True).filter(version=number).first()
            if row is None:
                raise SchemaRefusedError(f"it refers to {name} version {number}, which is missing")
            self._known[key] = (
                row.schema.text,
                tuple(
                    Reference(each.name, each.subject, each.version)
                    for each in row.schema.references.all()
                ),
            )
        return self._known[key]


def guid_of(entry: VersionEntry) -> UUID:
    """The GUID, over the text as the other registry stores it."""
    return guid(entry.text, entry.references, entry.metadata, entry.ruleset)

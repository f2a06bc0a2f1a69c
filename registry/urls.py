"""Addresses of the registry's pages; its API stands at the root."""

from urllib.parse import quote, unquote

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from registry import acts, views


class PlainName(StringConverter):
    """A name as it stands in the path."""

    regex = ".+"

    def to_url(self, value: object) -> str:
        """Leave names with a part `.` or `..` to the other converter: browsers resolve those."""
        if _has_dots(str(value)):
            raise ValueError("a browser would resolve the dots")
        return str(value)


class EncodedName(StringConverter):
    """A name encoded once more, so that no slash of it ends a part of the path."""

    regex = ".+"

    def to_url(self, value: object) -> str:
        """Encode; only for names that need it, so that every name has one address."""
        if not _has_dots(str(value)):
            raise ValueError("the plain address will do")
        return quote(str(value), safe="").replace(".", "%2E")

    def to_python(self, value: str) -> str:
        """Decode what the server has decoded once."""
        return unquote(value)


def _has_dots(name: str) -> bool:
    return not {".", ".."}.isdisjoint(name.split("/"))


register_converter(PlainName, "plainname")
register_converter(EncodedName, "encodedname")

urlpatterns = [
    path("registry", views.show_subjects, name="subjects"),
    path("registry/try", views.try_schema, name="try-schema"),
    path("registry/contexts/<plainname:scope>", views.show_context, name="schema-context"),
]
for converter, room in (("plainname", "registry"), ("encodedname", "registry/encoded")):
    urlpatterns += [
        path(f"{room}/subjects/<{converter}:subject>", views.show_subject, name="subject"),
        path(f"{room}/delete/<{converter}:subject>", acts.delete, name="delete-subject"),
        path(f"{room}/restore/<{converter}:subject>", acts.restore, name="restore-version"),
        path(f"{room}/settings/<{converter}:scope>", acts.change_settings, name="change-settings"),
    ]

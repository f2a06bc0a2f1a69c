"""The registry's addresses, at the root and again under /contexts/{c}/.

A subject may hold slashes (sent as %2F, which WSGI hands over decoded), so `subject` matches them
and the more specific addresses come first.
"""

from django.urls import URLPattern, URLResolver, include, re_path

from registry.api import associations, checks, config, mode, schemas, server, subjects, tags
from registry.api.boundary import Endpoint, view_unrouted
from registry.keys.api.urls import urlpatterns as _keys

_SUBJECT = r"subjects/(?P<subject>(?s:.*))"
_VERSION = _SUBJECT + r"/versions/(?P<version>[^/]+)"
_ID = r"schemas/ids/(?P<schema_id>[^/]+)"
_GUID = r"schemas/guids/(?P<guid>[^/]+)"

_operations = [
    re_path(r"^subjects/?$", Endpoint(GET=subjects.list_subjects)),
    re_path(rf"^{_VERSION}/schema/?$", Endpoint(GET=subjects.get_version_schema)),
    re_path(rf"^{_VERSION}/tags/?$", Endpoint(POST=tags.modify)),
    re_path(rf"^{_VERSION}/referencedby/?$", Endpoint(GET=subjects.list_referrers)),
    re_path(
        rf"^{_VERSION}/?$",
        Endpoint(
            GET=subjects.get_version,
            POST=subjects.look_up_version,
            DELETE=subjects.delete_version,
        ),
    ),
    re_path(
        rf"^{_SUBJECT}/versions/?$",
        Endpoint(GET=subjects.list_versions, POST=subjects.register),
    ),
    re_path(rf"^{_SUBJECT}/metadata/?$", Endpoint(GET=subjects.search_metadata)),
    re_path(rf"^{_SUBJECT}$", Endpoint(POST=subjects.look_up, DELETE=subjects.delete_subject)),
    re_path(rf"^{_ID}/schema/?$", Endpoint(GET=schemas.get_schema_text)),
    re_path(rf"^{_ID}/subjects/?$", Endpoint(GET=schemas.list_subjects)),
    re_path(rf"^{_ID}/versions/?$", Endpoint(GET=schemas.list_versions)),
    re_path(rf"^{_ID}/?$", Endpoint(GET=schemas.get_schema)),
    re_path(rf"^{_GUID}/ids/?$", Endpoint(GET=schemas.list_guid_ids)),
    re_path(rf"^{_GUID}/?$", Endpoint(GET=schemas.get_guid)),
    re_path(r"^schemas/?$", Endpoint(GET=schemas.list_schemas)),
    re_path(r"^schemas/types/?$", Endpoint(GET=schemas.list_types)),
    re_path(rf"^compatibility/{_VERSION}/?$", Endpoint(POST=checks.check_version)),
    re_path(rf"^compatibility/{_SUBJECT}/versions/?$", Endpoint(POST=checks.check_history)),
    re_path(
        r"^config/?$", Endpoint(GET=config.get_top, PUT=config.set_top, DELETE=config.delete_top)
    ),
    re_path(
        r"^config/(?P<subject>(?s:.*))$",
        Endpoint(GET=config.get_subject, PUT=config.set_subject, DELETE=config.delete_subject),
    ),
    re_path(r"^mode/?$", Endpoint(GET=mode.get_top, PUT=mode.set_top, DELETE=mode.delete_top)),
    re_path(
        r"^mode/(?P<subject>(?s:.*))$",
        Endpoint(GET=mode.get_subject, PUT=mode.set_subject, DELETE=mode.delete_subject),
    ),
    re_path(
        r"^associations/?$",
        Endpoint(POST=associations.create, PUT=associations.create_or_update),
    ),
    re_path(r"^associations:batch/?$", Endpoint(POST=associations.create_batch)),
    re_path(r"^associations:batchGet/?$", Endpoint(POST=associations.get_batch)),
    re_path(r"^associations:batchMutate/?$", Endpoint(POST=associations.mutate_batch)),
    re_path(
        r"^associations/resources/(?P<namespace>[^/]+)/(?P<name>(?s:.+))$",
        Endpoint(GET=associations.list_by_name),
    ),
    re_path(
        r"^associations/resources/(?P<resource_id>[^/]+)$",
        Endpoint(GET=associations.list_by_id, PUT=associations.update, DELETE=associations.delete),
    ),
    re_path(
        r"^associations/subjects/(?P<subject>(?s:.+))$", Endpoint(GET=associations.list_by_subject)
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *_operations,
    *_keys,
    re_path(r"^contexts/?$", Endpoint(GET=server.list_contexts)),
    re_path(r"^contexts/(?P<context>[^/]+)/?$", Endpoint(DELETE=server.delete_context)),
    re_path(r"^v1/metadata/id/?$", Endpoint(GET=server.get_id)),
    re_path(r"^v1/metadata/version/?$", Endpoint(GET=server.get_version)),
    re_path(r"^v1/metadata/deployment/?$", Endpoint(GET=server.get_deployment)),
    re_path(r"^contexts/(?P<context>[^/]+)/", include([*_operations, *_keys])),
    re_path(
        r"^(?:subjects|schemas|compatibility|config|mode|contexts|associations|exporters|v1|dek-registry)"
        r"(?:[/:](?s:.*))?$",
        view_unrouted,
    ),
]

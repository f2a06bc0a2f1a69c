"""The registry's addresses, at the root and again under /contexts/{c}/.

A subject may hold slashes (sent as %2F, which WSGI hands over decoded), so `subject` matches them
and the more specific addresses come first.
"""

from django.urls import URLPattern, URLResolver, include, re_path

from registry.api import associations, checks, config, mode, schemas, server, subjects
from registry.api.boundary import endpoint, view_unrouted

_SUBJECT = r"subjects/(?P<subject>(?s:.*))"
_VERSION = _SUBJECT + r"/versions/(?P<version>[^/]+)"
_ID = r"schemas/ids/(?P<schema_id>[^/]+)"
_GUID = r"schemas/guids/(?P<guid>[^/]+)"

_operations = [
    re_path(r"^subjects/?$", endpoint(GET=subjects.list_subjects)),
    re_path(rf"^{_VERSION}/schema/?$", endpoint(GET=subjects.get_version_schema)),
    re_path(rf"^{_VERSION}/referencedby/?$", endpoint(GET=subjects.list_referrers)),
    re_path(
        rf"^{_VERSION}/?$",
        endpoint(
            GET=subjects.get_version,
            POST=subjects.look_up_version,
            DELETE=subjects.delete_version,
        ),
    ),
    re_path(
        rf"^{_SUBJECT}/versions/?$",
        endpoint(GET=subjects.list_versions, POST=subjects.register),
    ),
    re_path(rf"^{_SUBJECT}/metadata/?$", endpoint(GET=subjects.search_metadata)),
    re_path(rf"^{_SUBJECT}$", endpoint(POST=subjects.look_up, DELETE=subjects.delete_subject)),
    re_path(rf"^{_ID}/schema/?$", endpoint(GET=schemas.get_schema_text)),
    re_path(rf"^{_ID}/subjects/?$", endpoint(GET=schemas.list_subjects)),
    re_path(rf"^{_ID}/versions/?$", endpoint(GET=schemas.list_versions)),
    re_path(rf"^{_ID}/?$", endpoint(GET=schemas.get_schema)),
    re_path(rf"^{_GUID}/ids/?$", endpoint(GET=schemas.list_guid_ids)),
    re_path(rf"^{_GUID}/?$", endpoint(GET=schemas.get_guid)),
    re_path(r"^schemas/?$", endpoint(GET=schemas.list_schemas)),
    re_path(r"^schemas/types/?$", endpoint(GET=schemas.list_types)),
    re_path(rf"^compatibility/{_VERSION}/?$", endpoint(POST=checks.check_version)),
    re_path(rf"^compatibility/{_SUBJECT}/versions/?$", endpoint(POST=checks.check_history)),
    re_path(
        r"^config/?$", endpoint(GET=config.get_top, PUT=config.set_top, DELETE=config.delete_top)
    ),
    re_path(
        r"^config/(?P<subject>(?s:.*))$",
        endpoint(GET=config.get_subject, PUT=config.set_subject, DELETE=config.delete_subject),
    ),
    re_path(r"^mode/?$", endpoint(GET=mode.get_top, PUT=mode.set_top, DELETE=mode.delete_top)),
    re_path(
        r"^mode/(?P<subject>(?s:.*))$",
        endpoint(GET=mode.get_subject, PUT=mode.set_subject, DELETE=mode.delete_subject),
    ),
    re_path(
        r"^associations/?$",
        endpoint(POST=associations.create, PUT=associations.create_or_update),
    ),
    re_path(r"^associations:batch/?$", endpoint(POST=associations.create_batch)),
    re_path(r"^associations:batchGet/?$", endpoint(POST=associations.get_batch)),
    re_path(r"^associations:batchMutate/?$", endpoint(POST=associations.mutate_batch)),
    re_path(
        r"^associations/resources/(?P<namespace>[^/]+)/(?P<name>(?s:.+))$",
        endpoint(GET=associations.list_by_name),
    ),
    re_path(
        r"^associations/resources/(?P<resource_id>[^/]+)$",
        endpoint(GET=associations.list_by_id, PUT=associations.update, DELETE=associations.delete),
    ),
    re_path(
        r"^associations/subjects/(?P<subject>(?s:.+))$", endpoint(GET=associations.list_by_subject)
    ),
]

urlpatterns: list[URLPattern | URLResolver] = [
    *_operations,
    re_path(r"^contexts/?$", endpoint(GET=server.list_contexts)),
    re_path(r"^contexts/(?P<context>[^/]+)/?$", endpoint(DELETE=server.delete_context)),
    re_path(r"^v1/metadata/id/?$", endpoint(GET=server.get_id)),
    re_path(r"^v1/metadata/version/?$", endpoint(GET=server.get_version)),
    re_path(r"^v1/metadata/deployment/?$", endpoint(GET=server.get_deployment)),
    re_path(r"^contexts/(?P<context>[^/]+)/", include(_operations)),
    re_path(
        r"^(?:subjects|schemas|compatibility|config|mode|contexts|associations|v1|dek-registry)"
        r"(?:[/:](?s:.*))?$",
        view_unrouted,
    ),
]

"""Every operation of the registry: parameters, body, answer and the codes of its refusals.

The keys are the addresses of registry/api/urls.py; a test holds the two equal. The errors that any
request may meet (400, 404, 406, 500, 50001; 405, 413 and 415 where they can be) are added by
`document`, as is each operation's twin below /contexts/{context}.
"""

from typing import Final

from registry.api.openapi.keys import KEYS
from registry.api.openapi.operation import PAGE, Operation

_LOOK_UP = ("normalize", "format", "deleted")
_CHECK = ("normalize", "verbose")
_WHICH = ("resourceType", "associationType", "lifecycle")
_BIND = ("context", "dryRun", "includeSchemas")

_VERSION = (40401, 40402, 42202)
_SCHEMA = (42201, 42208, 42209, 42210)
_REGISTER = (40401, 40402, 40901, 42201, 42205, 42207, 42208, 42209, 42210)
_BOUND = (*_REGISTER, 40902, 40903, 40904, 40905, 42212)

_SUBJECTS: Final = {
    "GET /": Operation("probe_registry", "Whether this is a registry", "Empty", twin=False),
    "POST /": Operation("probe_registry_by_post", "As GET does", "Empty", twin=False),
    "GET /subjects": Operation(
        "list_subjects",
        "List subjects",
        "Texts",
        ("subjectPrefix", "deleted", "deletedOnly", *PAGE),
    ),
    "POST /subjects/{subject}": Operation(
        "look_up_schema",
        "Find a schema under a subject",
        "Version",
        _LOOK_UP,
        "Submission",
        (40401, 40403, *_SCHEMA),
    ),
    "DELETE /subjects/{subject}": Operation(
        "delete_subject",
        "Delete a subject, softly first",
        "Numbers",
        ("permanent",),
        codes=(40401, 40404, 40405, 40904, 40905, 42205, 42206),
    ),
    "GET /subjects/{subject}/versions": Operation(
        "list_versions",
        "List a subject's versions",
        "Numbers",
        ("deleted", "deletedOnly", "deletedAsNegative", *PAGE),
        codes=(40401,),
    ),
    "POST /subjects/{subject}/versions": Operation(
        "register_schema",
        "Register a schema as the subject's next version",
        "Registered",
        ("normalize", "format", "force"),
        "Submission",
        _REGISTER,
        links=(
            "get_version",
            "get_version_text",
            "list_versions",
            "list_referrers",
            "delete_version",
            "check_against_version",
            "change_tags",
            "get_schema",
            "get_schema_text",
            "list_schema_versions",
            "get_schema_by_guid",
        ),
    ),
    "GET /subjects/{subject}/versions/{version}": Operation(
        "get_version",
        "Read a version",
        "Version",
        ("format", "referenceFormat", "deleted", "findTags"),
        codes=_VERSION,
    ),
    "POST /subjects/{subject}/versions/{version}": Operation(
        "look_up_schema_in_version",
        "Find a schema in a version",
        "Version",
        _LOOK_UP,
        "Submission",
        (*_VERSION, 40403, *_SCHEMA),
    ),
    "DELETE /subjects/{subject}/versions/{version}": Operation(
        "delete_version",
        "Delete a version, softly first",
        "Number",
        ("permanent",),
        codes=(*_VERSION, 40406, 40407, 40904, 40905, 42205, 42206),
    ),
    "GET /subjects/{subject}/versions/{version}/schema": Operation(
        "get_version_text", "Read a version's text", "Text", ("format", "deleted"), codes=_VERSION
    ),
    "GET /subjects/{subject}/versions/{version}/referencedby": Operation(
        "list_referrers",
        "List the ids of schemas that refer to a version",
        "Numbers",
        ("deleted", *PAGE),
        codes=_VERSION,
    ),
    "POST /subjects/{subject}/versions/{version}/tags": Operation(
        "change_tags",
        "Register a version with other tags, metadata or rules",
        "Changed",
        body="TagChange",
        codes=(*_REGISTER, 42202),
    ),
    "GET /subjects/{subject}/metadata": Operation(
        "find_by_metadata",
        "Find the newest version with this metadata",
        "Version",
        ("key", "value", "format", "deleted"),
        codes=(40401, 40403),
    ),
}

_SCHEMAS: Final = {
    "GET /schemas": Operation(
        "list_schemas",
        "List versions of subjects with their schemas",
        "Versions",
        ("subjectPrefix", "aliases", "deleted", "latestOnly", "ruleType", *_WHICH, *PAGE),
    ),
    "GET /schemas/types": Operation("list_schema_types", "List the formats", "Texts"),
    "GET /schemas/ids/{schema_id}": Operation(
        "get_schema",
        "Read a schema by id",
        "Schema",
        ("subject", "format", "referenceFormat", "findTags", "fetchMaxId"),
        codes=(40403, 42208),
    ),
    "GET /schemas/ids/{schema_id}/schema": Operation(
        "get_schema_text",
        "Read a schema's text by id",
        "Text",
        ("subject", "format"),
        codes=(40403, 42208),
    ),
    "GET /schemas/ids/{schema_id}/subjects": Operation(
        "list_schema_subjects",
        "List the subjects that use an id",
        "Texts",
        ("subject", "deleted", *PAGE),
        codes=(40403, 42208),
    ),
    "GET /schemas/ids/{schema_id}/versions": Operation(
        "list_schema_versions",
        "List the versions that use an id",
        "Usages",
        ("subject", "deleted", *PAGE),
        codes=(40403, 42208),
    ),
    "GET /schemas/guids/{guid}": Operation(
        "get_schema_by_guid", "Read a schema by GUID", "Schema", ("format",), codes=(40403,)
    ),
    "GET /schemas/guids/{guid}/ids": Operation(
        "list_guid_ids", "List the ids of a GUID", "Identities", PAGE, codes=(40403,)
    ),
    "POST /compatibility/subjects/{subject}/versions/{version}": Operation(
        "check_against_version",
        "Check a schema against a version",
        "Verdict",
        _CHECK,
        "Submission",
        (*_VERSION, *_SCHEMA),
    ),
    "POST /compatibility/subjects/{subject}/versions": Operation(
        "check_against_history",
        "Check a schema as a registration would",
        "Verdict",
        _CHECK,
        "Submission",
        _SCHEMA,
    ),
}

_SCOPES: Final = {
    "GET /config": Operation(
        "get_config", "Read the config", "Config", ("defaultToGlobal",), codes=(40408,)
    ),
    "PUT /config": Operation(
        "set_config",
        "Set fields of the config",
        "ConfigUpdate",
        body="ConfigUpdate",
        codes=(42203, 42205, 42208, 42210),
    ),
    "DELETE /config": Operation(
        "delete_config", "Reset the config", "Config", codes=(40401, 42205)
    ),
    "GET /config/{subject}": Operation(
        "get_subject_config",
        "Read a subject's config",
        "Config",
        ("defaultToGlobal",),
        codes=(40408,),
    ),
    "PUT /config/{subject}": Operation(
        "set_subject_config",
        "Set fields of a subject's config",
        "ConfigUpdate",
        body="ConfigUpdate",
        codes=(42203, 42205, 42208, 42210),
    ),
    "DELETE /config/{subject}": Operation(
        "delete_subject_config",
        "Delete a subject's config",
        "Config",
        codes=(40401, 42205),
    ),
    "GET /mode": Operation(
        "get_mode", "Read the mode", "Mode", ("defaultToGlobal",), codes=(40409,)
    ),
    "PUT /mode": Operation(
        "set_mode", "Set the mode", "Mode", ("force",), "Mode", (42204, 42205, 42208)
    ),
    "DELETE /mode": Operation(
        "delete_mode", "Reset the mode", "Mode", ("recursive",), codes=(40401, 42205)
    ),
    "GET /mode/{subject}": Operation(
        "get_subject_mode",
        "Read a subject's mode",
        "Mode",
        ("defaultToGlobal",),
        codes=(40409,),
    ),
    "PUT /mode/{subject}": Operation(
        "set_subject_mode",
        "Set a subject's mode",
        "Mode",
        ("force",),
        "Mode",
        (42204, 42205, 42208),
    ),
    "DELETE /mode/{subject}": Operation(
        "delete_subject_mode",
        "Delete a subject's mode",
        "Mode",
        ("recursive",),
        codes=(40401, 42205),
    ),
    "GET /contexts": Operation(
        "list_schema_contexts",
        "List contexts",
        "Texts",
        ("contextPrefix", *PAGE),
        twin=False,
    ),
    "DELETE /contexts/{context}": Operation(
        "delete_schema_context", "Delete an empty context", codes=(42211,), twin=False
    ),
    "GET /v1/metadata/id": Operation(
        "get_registry_id", "Read the registry's id", "ServerId", twin=False
    ),
    "GET /v1/metadata/version": Operation(
        "get_registry_version",
        "Read the release of the contract",
        "ServerVersion",
        twin=False,
    ),
    "GET /v1/metadata/deployment": Operation(
        "get_registry_deployment", "Read how the registry is deployed", "Deployment", twin=False
    ),
}

_ASSOCIATIONS: Final = {
    "POST /associations": Operation(
        "create_associations",
        "Bind a resource to subjects",
        "Associated",
        _BIND,
        "Associate",
        _BOUND,
    ),
    "PUT /associations": Operation(
        "set_associations",
        "Bind a resource to subjects, or change how",
        "Associated",
        _BIND,
        "Associate",
        _BOUND,
    ),
    "POST /associations:batch": Operation(
        "create_associations_of_many",
        "Bind many resources",
        "AssociatedMany",
        _BIND,
        "AssociateMany",
    ),
    "POST /associations:batchMutate": Operation(
        "set_associations_of_many",
        "Bind many resources, or change how",
        "AssociatedMany",
        _BIND,
        "AssociateMany",
    ),
    "POST /associations:batchGet": Operation(
        "get_associations_of_many",
        "Read the associations of many resources",
        "AssociationsOfMany",
        _WHICH,
        "ResourceList",
    ),
    "GET /associations/resources/{namespace}/{name}": Operation(
        "list_associations_by_name",
        "List a resource's associations by its name",
        "Associations",
        (*_WHICH, *PAGE),
        codes=(40410,),
    ),
    "GET /associations/resources/{resource_id}": Operation(
        "list_associations_by_id",
        "List a resource's associations by its id",
        "Associations",
        (*_WHICH, *PAGE),
        codes=(40410,),
    ),
    "PUT /associations/resources/{resource_id}": Operation(
        "set_associations_by_id",
        "Bind the resource of an id, or change how",
        "Associated",
        _BIND,
        "Associate",
        _BOUND,
    ),
    "DELETE /associations/resources/{resource_id}": Operation(
        "delete_associations",
        "Remove a resource's associations",
        parameters=(*_WHICH, "cascadeLifecycle"),
        codes=(40401, 40404, 40410, 40903, 42205, 42206, 42208),
    ),
    "GET /associations/subjects/{subject}": Operation(
        "list_associations_by_subject",
        "List a subject's associations",
        "Associations",
        (*_WHICH, *PAGE),
        codes=(42208,),
    ),
}

OPERATIONS: Final[dict[str, Operation]] = {
    **_SUBJECTS,
    **_SCHEMAS,
    **_SCOPES,
    **_ASSOCIATIONS,
    **KEYS,
}

"""What the registry's parameters, bodies and answers look like, as JSON Schemas of OpenAPI 3.0."""

from typing import Any, Final

from registry.actions.config import LEVELS, POLICIES
from registry.actions.mode import MODES
from registry.keys.material import ALGORITHMS
from registry.naming import LONGEST_CONTEXT, LONGEST_SUBJECT

Json = dict[str, Any]

_FORMATS = ["AVRO", "JSON", "PROTOBUF"]
_TEXT: Final[Json] = {"type": "string"}
_FLAG: Final[Json] = {"type": "boolean"}
_NUMBER: Final[Json] = {"type": "integer", "format": "int32"}
_MOMENT: Final[Json] = {
    "type": "integer",
    "format": "int64",
    "description": "milliseconds since 1970, UTC",
}
_NO_CONTROLS = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_NAME: Final[Json] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^[^/\u0000-\u001f\u007f-\u009f]+$",
}
_ID: Final[Json] = {"type": "integer", "format": "int32", "minimum": 0}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(item: Json) -> Json:
    return {"type": "array", "items": item}


def _map(value: Json) -> Json:
    return {"type": "object", "additionalProperties": value}


def _answer(required: Json, **optional: Json) -> Json:
    """An object of an answer: these fields and no others."""
    made: Json = {
        "type": "object",
        "properties": {**required, **optional},
        "additionalProperties": False,
    }
    return made | ({"required": list(required)} if required else {})


def _body(required: Json, **optional: Json) -> Json:
    """An object of a request: fields that are not known are not read, null is as good as absent."""
    nullable = {name: _nullable(value) for name, value in optional.items()}
    made: Json = {"type": "object", "properties": {**required, **nullable}}
    return made | ({"required": list(required)} if required else {})


def _nullable(value: Json) -> Json:
    if "$ref" in value:
        return {"type": "object", "nullable": True, "allOf": [value]}
    if "enum" in value:
        return {**value, "nullable": True, "enum": [*value["enum"], None]}
    return {**value, "nullable": True}


PATH_PARAMETERS: Final[dict[str, tuple[Json, str]]] = {
    "subject": (
        {"type": "string", "minLength": 1, "maxLength": LONGEST_SUBJECT, "pattern": _NO_CONTROLS},
        "A subject's name, plain or qualified (`:.context:subject`); a slash in it is %2F",
    ),
    "version": (
        {
            "oneOf": [
                {"type": "integer", "format": "int32", "minimum": 1},
                {"type": "string", "enum": ["latest", "-1"]},
            ]
        },
        "A version's number, or `latest` (or -1)",
    ),
    "schema_id": (_ID, "A schema's id in its context"),
    "guid": ({"type": "string", "format": "uuid"}, "A schema's GUID"),
    "context": (
        {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_CONTEXT - 1,
            "pattern": r"^[^:/\u0000-\u001f\u007f-\u009f]+$",
        },
        "A context's name, with or without its dot",
    ),
    "namespace": (_NAME, "The resource's namespace; `-` is any"),
    "name": (_NAME, "The name of the kek, or of the resource"),
    "resource_id": (_NAME, "The resource's id"),
}

QUERY_PARAMETERS: Final[dict[str, tuple[Json, str]]] = {
    "subjectPrefix": (_TEXT, "Only names that begin so; `:*:` is every context"),
    "deleted": (_FLAG, "What is softly deleted too"),
    "deletedOnly": (_FLAG, "Only what is softly deleted"),
    "deletedAsNegative": (_FLAG, "Softly deleted versions as negative numbers"),
    "offset": (_NUMBER, "How many to leave out"),
    "limit": (_NUMBER, "How many at most; negative: as many as the server gives"),
    "normalize": (_FLAG, "Compare and store the normal form of the text"),
    "format": (_TEXT, "`resolved` (Avro) or `serialized` (Protobuf); else the stored text"),
    "referenceFormat": (_TEXT, "`qualified`: subjects of references with their context"),
    "findTags": (_FLAG, "Give the tags within the schema"),
    "fetchMaxId": (_FLAG, "Give the highest id of the context"),
    "permanent": (_FLAG, "For good; what was softly deleted before"),
    "verbose": (_FLAG, "Say what is incompatible"),
    "key": (_list(_TEXT), "A metadata property; repeated, with a `value` for each"),
    "value": (_list(_TEXT), "The value of the `key` at the same place"),
    "aliases": (_FLAG, "Give the aliases of each subject"),
    "latestOnly": (_FLAG, "Only the last version of each subject"),
    "ruleType": (_TEXT, "Only schemas with a rule of this type"),
    "resourceType": (_TEXT, "Only of resources of this type"),
    "associationType": (_list(_TEXT), "Only of this type (`key`, `value`); may be repeated"),
    "lifecycle": (_TEXT, "`STRONG` or `WEAK`"),
    "subject": (
        {"type": "string", "maxLength": LONGEST_SUBJECT, "pattern": _NO_CONTROLS},
        "A subject that tells the id's context",
    ),
    "defaultToGlobal": (_FLAG, "What applies, where nothing is set of its own"),
    "force": (_FLAG, "Even though the schemas that are there forbid it"),
    "recursive": (_FLAG, "Of a context: its subjects' modes too"),
    "contextPrefix": (_TEXT, "Only contexts that begin so"),
    "context": (
        {"type": "string", "maxLength": LONGEST_CONTEXT - 1, "pattern": _NO_CONTROLS},
        "The context; the default one otherwise",
    ),
    "dryRun": (_FLAG, "Only check"),
    "includeSchemas": (_FLAG, "Give each subject's schema"),
    "cascadeLifecycle": (_FLAG, "Delete the subjects of strong associations too"),
    "testSharing": (_FLAG, "Wrap and unwrap with the key, if it is shared"),
    "rewrap": (_FLAG, "Wrap an existing dek's material anew"),
    "algorithm": ({"type": "string", "enum": list(ALGORITHMS)}, "The dek's algorithm"),
}

_SCHEMA_FIELDS: Final[Json] = {
    "schemaType": {
        "type": "string",
        "enum": ["JSON", "PROTOBUF"],
        "description": "absent for Avro",
    },
    "references": _list(_ref("RegistryReference")),
    "metadata": _ref("RegistryMetadata"),
    "ruleSet": _ref("RegistryRuleSet"),
    "schemaTags": _list(_ref("RegistryTags")),
}
_CONTRACTS: Final[Json] = {
    "metadata": _ref("RegistryMetadataBody"),
    "ruleSet": _ref("RegistryRuleSetBody"),
}
_CONFIG: Final[Json] = {
    "alias": _TEXT,
    "aliasForDeks": _TEXT,
    "normalize": _FLAG,
    "validateFields": _FLAG,
    "validateNewSchemas": _FLAG,
    "validateRules": _FLAG,
    "compatibilityGroup": _TEXT,
    "compatibilityPolicy": {"type": "string", "enum": list(POLICIES)},
}
_RULE_TEXTS: Final[Json] = {
    "doc": _TEXT,
    "kind": {"type": "string", "enum": ["TRANSFORM", "CONDITION"]},
    "mode": {
        "type": "string",
        "enum": ["UPGRADE", "DOWNGRADE", "UPDOWN", "WRITE", "READ", "WRITEREAD"],
    },
    "tags": _list(_TEXT),
    "params": _map(_TEXT),
    "expr": _TEXT,
    "onSuccess": _TEXT,
    "onFailure": _TEXT,
}
_BINDING: Final[Json] = {
    "subject": _TEXT,
    "associationType": _TEXT,
    "lifecycle": {"type": "string", "enum": ["STRONG", "WEAK"]},
    "frozen": _FLAG,
}
_RESOURCE: Final[Json] = {
    "resourceName": _TEXT,
    "resourceNamespace": _TEXT,
    "resourceId": _TEXT,
    "resourceType": _TEXT,
}
_NEW_DEK: Final[Json] = {
    "algorithm": {"type": "string", "enum": list(ALGORITHMS)},
    "encryptedKeyMaterial": _TEXT,
    "deleted": _FLAG,
    "version": {"type": "integer", "format": "int32", "minimum": 1},
}


def _rule_sets(rule: str) -> Json:
    lists = ("migrationRules", "domainRules", "encodingRules")
    return {each: _list(_ref(rule)) for each in lists} | {"enableAt": _TEXT}


def _result(shape: Json) -> Json:
    """An answer for many: of each one its result, or its error."""
    item = {"oneOf": [_answer({"result": shape}), _answer({"error": _ref("RegistryError")})]}
    return _answer({"results": _list(item)})


_METADATA: Final[Json] = {
    "tags": _map(_list(_TEXT)),
    "properties": _map(_TEXT),
    "sensitive": _list(_TEXT),
}
_MATERIALS: Final[Json] = {"keyMaterial": _TEXT, "deleted": _FLAG}
_ENTITY: Final[Json] = {"entityPath": _TEXT, "entityType": _TEXT}

# by name, without the prefix that keeps them apart from other rooms' components
SHAPES: Final[dict[str, Json]] = {
    "Error": _answer({"error_code": {"type": "integer"}, "message": _TEXT}),
    "Empty": _answer({}),
    "Texts": _list(_TEXT),
    "Number": _NUMBER,
    "Numbers": _list(_NUMBER),
    "Reference": _answer({"name": _TEXT, "subject": _TEXT, "version": _NUMBER}),
    "ReferenceBody": _body({
        "name": {"type": "string", "minLength": 1},
        "subject": {"type": "string", "minLength": 1},
        "version": {"type": "integer", "format": "int32", "minimum": -1},
    }),
    "Metadata": _answer({}, **_METADATA),
    "MetadataBody": _body({}, **_METADATA),
    "Rule": _answer({"name": _TEXT, "type": _TEXT, "disabled": _FLAG}, **_RULE_TEXTS),
    "RuleBody": _body(
        {"name": {"type": "string", "minLength": 1}, "type": {"type": "string", "minLength": 1}},
        **_RULE_TEXTS,
        disabled=_FLAG,
    ),
    "RuleSet": _answer({}, **_rule_sets("RegistryRule")),
    "RuleSetBody": _body({}, **_rule_sets("RegistryRuleBody")),
    "Tags": _answer({"schemaEntity": _answer(_ENTITY), "tags": _list(_TEXT)}),
    "TagsBody": _body({"schemaEntity": _body({"entityPath": _TEXT}, entityType=_TEXT)})
    | {"description": "`entityType` is SR_RECORD or SR_FIELD"},
    "Submission": _body(
        {"schema": _TEXT},
        schemaType={"type": "string", "enum": _FORMATS},
        references=_list(_ref("RegistryReferenceBody")),
        **_CONTRACTS,
        id=_NUMBER,
        version=_NUMBER,
        schemaTagsToAdd=_list(_ref("RegistryTagsBody")),
        schemaTagsToRemove=_list(_ref("RegistryTagsBody")),
        propagateSchemaTags=_FLAG,
    ),
    "TagChange": _body(
        {},
        tagsToAdd=_list(_ref("RegistryTagsBody")),
        tagsToRemove=_list(_ref("RegistryTagsBody")),
        **_CONTRACTS,
        rulesToMerge=_ref("RegistryRuleSetBody"),
        rulesToRemove=_list(_TEXT),
        newVersion=_NUMBER,
    ),
    "Registered": _answer(
        {"id": _ID, "version": _NUMBER, "guid": _TEXT}, schema=_TEXT, **_SCHEMA_FIELDS
    ),
    "Schema": _answer(
        {"schema": _TEXT, "guid": _TEXT},
        **_SCHEMA_FIELDS,
        subject=_TEXT,
        version=_NUMBER,
        ts=_MOMENT,
        maxId=_NUMBER,
    ),
    "Version": _answer(
        {
            "subject": _TEXT,
            "version": _NUMBER,
            "id": _ID,
            "guid": _TEXT,
            "schema": _TEXT,
            "ts": _MOMENT,
        },
        **_SCHEMA_FIELDS,
        aliases=_list(_TEXT),
        deleted=_FLAG,
    ),
    "Versions": _list(_ref("RegistryVersion")),
    "Changed": _answer(
        {"version": _NUMBER, "id": _ID, "guid": _TEXT, "schema": _TEXT, "ts": _MOMENT},
        **_SCHEMA_FIELDS,
    ),
    "Usages": _list(_answer({"subject": _TEXT, "version": _NUMBER})),
    "Identities": _list(_answer({"context": _TEXT, "id": _ID})),
    "Verdict": _answer({"is_compatible": _FLAG}, messages=_list(_TEXT)),
    "Config": _answer(
        {},
        compatibilityLevel={"type": "string", "enum": list(LEVELS)},
        **_CONFIG,
        defaultMetadata=_ref("RegistryMetadata"),
        overrideMetadata=_ref("RegistryMetadata"),
        defaultRuleSet=_ref("RegistryRuleSet"),
        overrideRuleSet=_ref("RegistryRuleSet"),
    ),
    "ConfigUpdate": _body(
        {},
        compatibility={"type": "string", "enum": list(LEVELS)},
        **_CONFIG,
        defaultMetadata=_ref("RegistryMetadataBody"),
        overrideMetadata=_ref("RegistryMetadataBody"),
        defaultRuleSet=_ref("RegistryRuleSetBody"),
        overrideRuleSet=_ref("RegistryRuleSetBody"),
    ),
    "Mode": _body({"mode": {"type": "string", "enum": list(MODES)}}),
    "ServerId": _answer({
        "id": _TEXT,
        "scope": _answer({"path": _list(_TEXT), "clusters": _map(_TEXT)}),
    }),
    "ServerVersion": _answer({"version": _TEXT, "commitId": _TEXT}),
    "Deployment": _answer({"attributes": _map(_TEXT)}),
    "Association": _answer({**_RESOURCE, **_BINDING}, guid=_TEXT),
    "Associations": _list(_ref("RegistryAssociation")),
    "Associate": _body(
        {
            "associations": _list(
                _body({}, **_BINDING, normalize=_FLAG, schema=_ref("RegistrySubmission"))
            )
        },
        **_RESOURCE,
    ),
    "Associated": _answer({
        **_RESOURCE,
        "associations": _list(_answer(_BINDING, guid=_TEXT, schema=_ref("RegistrySchema"))),
    }),
    "AssociateMany": _body({"requests": _list(_ref("RegistryAssociate"))}),
    "AssociatedMany": _result(_ref("RegistryAssociated")),
    "ResourceList": _body({"requests": _list(_body({}, **_RESOURCE))}),
    "AssociationsOfMany": _result(_ref("RegistryAssociations")),
    "Kek": _answer(
        {"name": _TEXT, "kmsType": _TEXT, "kmsKeyId": _TEXT, "shared": _FLAG, "ts": _MOMENT},
        kmsProps=_map(_TEXT),
        doc=_TEXT,
        deleted=_FLAG,
    ),
    "NewKek": _body(
        {
            "name": _NAME,
            "kmsType": {"type": "string", "minLength": 1, "maxLength": 255},
            "kmsKeyId": {"type": "string", "minLength": 1},
        },
        kmsProps=_map(_TEXT),
        doc=_TEXT,
        shared=_FLAG,
        deleted=_FLAG,
    ),
    "KekChange": _body({}, kmsProps=_map(_TEXT), doc=_TEXT, shared=_FLAG),
    "Dek": _answer(
        {
            "kekName": _TEXT,
            "subject": _TEXT,
            "version": _NUMBER,
            "algorithm": {"type": "string", "enum": list(ALGORITHMS)},
            "encryptedKeyMaterial": _TEXT,
            "ts": _MOMENT,
        },
        **_MATERIALS,
    ),
    "NewDek": _body({"subject": {"type": "string", "minLength": 1}}, **_NEW_DEK),
    "NewSubjectDek": _body({}, subject=_TEXT, **_NEW_DEK),
}

_AVRO = (
    '{"type":"record","name":"Order","namespace":"shop",'
    '"fields":[{"name":"number","type":"string"}]}'
)
_CLOSED = '{"type":"object","properties":{"number":{"type":"string"}}}'
_PROTO = 'syntax = "proto3"; package shop; message Order { string number = 1; }'

# one of these is what a reader copies, and where a fuzzer begins
EXAMPLES: Final[dict[str, dict[str, Json]]] = {
    "Submission": {
        "avro": {"value": {"schema": _AVRO}},
        "json": {"value": {"schema": _CLOSED, "schemaType": "JSON"}},
        "protobuf": {"value": {"schema": _PROTO, "schemaType": "PROTOBUF"}},
    },
    "ConfigUpdate": {"level": {"value": {"compatibility": "FULL_TRANSITIVE"}}},
    "Mode": {"writable": {"value": {"mode": "READWRITE"}}},
    "NewKek": {
        "local": {"value": {"name": "orders", "kmsType": "local-kms", "kmsKeyId": "key"}},
    },
    "NewSubjectDek": {"wrapped": {"value": {"encryptedKeyMaterial": "d3JhcHBlZA=="}}},
    "Associate": {
        "topic": {
            "value": {
                "resourceName": "orders",
                "resourceNamespace": "cluster",
                "resourceId": "cluster:orders",
                "resourceType": "topic",
                "associations": [
                    {"associationType": "value", "lifecycle": "WEAK", "schema": {"schema": _AVRO}}
                ],
            }
        },
    },
}

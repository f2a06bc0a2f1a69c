"""What a change of a Protobuf schema is in words, as a verbose verdict tells it."""

_DESCRIPTIONS = {
    "PACKAGE_CHANGED": "The package at {} of the new schema is not that of the old schema",
    "MESSAGE_ADDED": "The new schema has a message at {} that the old schema lacks",
    "MESSAGE_MOVED": "The message at {} has another index in the new schema than in the old schema",
    "MESSAGE_REMOVED": "The new schema lacks the message at {} of the old schema",
    "ENUM_ADDED": "The new schema has an enum at {} that the old schema lacks",
    "ENUM_REMOVED": "The new schema lacks the enum at {} of the old schema",
    "ENUM_CONST_ADDED": "The new schema has an enum constant at {} that the old schema lacks",
    "ENUM_CONST_CHANGED": "The enum constant at {} has another name in the new schema than in the "
    "old schema",
    "ENUM_CONST_REMOVED": "The new schema lacks the enum constant at {} of the old schema",
    "FIELD_ADDED": "The new schema has a field at {} that the old schema lacks",
    "FIELD_REMOVED": "The new schema lacks the field at {} of the old schema",
    "FIELD_NAME_CHANGED": "The field at {} has another name in the new schema than in the old "
    "schema",
    "FIELD_KIND_CHANGED": "The kind (scalar, message or map) of the field at {} in the new schema "
    "is not that in the old schema",
    "FIELD_SCALAR_KIND_CHANGED": "The scalar type at {} in the new schema is not read from what "
    "the old schema wrote",
    "FIELD_NAMED_TYPE_CHANGED": "The field at {} is of another message in the new schema than in "
    "the old schema",
    "FIELD_NUMERIC_LABEL_CHANGED": "The numeric field at {} is repeated in only one of the new "
    "schema and the old schema",
    "FIELD_STRING_OR_BYTES_LABEL_CHANGED": "The string, bytes or message field at {} is repeated "
    "in only one of the new schema and the old schema",
    "REQUIRED_FIELD_ADDED": "The new schema requires the field at {}, which the old schema did not",
    "REQUIRED_FIELD_REMOVED": "The new schema lacks the field at {} that the old schema requires",
    "ONEOF_ADDED": "The new schema has a oneof at {} that the old schema lacks",
    "ONEOF_REMOVED": "The new schema lacks the oneof at {} of the old schema",
    "ONEOF_FIELD_ADDED": "The oneof of the new schema has a field at {} that the old schema lacks",
    "ONEOF_FIELD_REMOVED": "The new schema lacks the field at {} of a oneof of the old schema",
    "ONEOF_FIELD_MOVED_TO_TOP_LEVEL": "The field at {} is in a oneof of the old schema and in none "
    "of the new schema",
    "MULTIPLE_FIELDS_MOVED_TO_ONEOF": "The oneof at {} of the new schema excludes fields from one "
    "another that the old schema could set together",
    "FIELD_MOVED_TO_EXISTING_ONEOF": "The field at {} stands alone in the old schema and in a "
    "oneof with others in the new schema",
    "RESERVED_RANGE_REMOVED": "The new schema no longer reserves the range at {} of the old schema",
    "RESERVED_RANGE_REUSED": "The new schema has a field in the range at {} that the old schema "
    "reserves",
}


def describe(kind: str, path: str) -> str:
    """A sentence that names both schemas and the place."""
    return _DESCRIPTIONS[kind].format(f"path '{path}'")

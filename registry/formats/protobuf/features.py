"""What an edition's features say of the wire, in the terms that proto2 has for it.

Only two matter to a reader of old messages: required presence and delimited (group) encoding.
"""

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
)

_Field = FieldDescriptorProto


def resolve(file: FileDescriptorProto) -> FileDescriptorProto:
    """The file with required and group fields marked as proto2 marks them."""
    if file.syntax != "editions":
        return file
    resolved = FileDescriptorProto()
    resolved.CopyFrom(file)
    delimited = file.options.features.message_encoding == FeatureSet.DELIMITED
    for message in resolved.message_type:
        _resolve(message, delimited)
    return resolved


def _resolve(message: DescriptorProto, delimited: bool) -> None:
    entries = {nested.name for nested in message.nested_type if nested.options.map_entry}
    for field in message.field:
        features = field.options.features
        if features.field_presence == FeatureSet.LEGACY_REQUIRED:
            field.label = _Field.LABEL_REQUIRED
        encoding = features.message_encoding
        grouped = encoding == FeatureSet.DELIMITED if encoding else delimited
        is_entry = field.type_name.rpartition(".")[2] in entries
        if grouped and field.type == _Field.TYPE_MESSAGE and not is_entry:
            field.type = _Field.TYPE_GROUP
    for nested in message.nested_type:
        if not nested.options.map_entry:
            _resolve(nested, delimited)

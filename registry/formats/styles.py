"""Other spellings of a schema that a client may ask for with `format=`.

`resolved` (Avro) writes referenced types in place; `serialized` (Protobuf) is the compiled
descriptor in base64. Any other style is the stored text.
"""

from registry.formats.contract import Parsed


def has_style(format_name: str, style: str) -> bool:
    """Whether the style is another text than the stored one."""
    return (format_name, style) in {("AVRO", "resolved"), ("PROTOBUF", "serialized")}


def render(parsed: Parsed, style: str) -> str:
    """The schema in that style."""
    if not has_style(parsed.format, style):
        return parsed.text
    if parsed.format == "AVRO":
        from registry.formats.avro import resolved

        return resolved(parsed)
    from registry.formats.protobuf import serialized

    return serialized(parsed)

"""The operations of the registry on keys for encrypted fields, as `operations` has the others."""

from typing import Final

from registry.api.openapi.operation import PAGE, Operation

_KEK = (40470, 42208)
_DEK = (*_KEK, 42202, 42271)
_KEKS = "/dek-registry/v1/keks"
KEYS: Final = {
    f"GET {_KEKS}": Operation(
        "list_keks",
        "List keks",
        "Texts",
        ("subjectPrefix", "deleted", "context", *PAGE),
        codes=(42208,),
    ),
    f"POST {_KEKS}": Operation(
        "create_kek",
        "Create a kek",
        "Kek",
        ("testSharing", "context"),
        "NewKek",
        (40971, 40972, 42205, 42208, 42271, 50070),
        links=("get_kek", "update_kek", "create_dek", "delete_kek"),
    ),
    f"GET {_KEKS}/{{name}}": Operation(
        "get_kek", "Read a kek", "Kek", ("deleted", "context"), codes=_KEK
    ),
    f"PUT {_KEKS}/{{name}}": Operation(
        "update_kek",
        "Change a kek",
        "Kek",
        ("testSharing", "context"),
        "KekChange",
        (*_KEK, 42205, 42271, 50070),
    ),
    f"DELETE {_KEKS}/{{name}}": Operation(
        "delete_kek",
        "Delete a kek, softly first",
        parameters=("permanent", "context"),
        codes=(*_KEK, 40471, 42205, 42272),
    ),
    f"POST {_KEKS}/{{name}}/undelete": Operation(
        "undelete_kek", "Take back a kek's deletion", "", ("context",), codes=(*_KEK, 42205)
    ),
    f"POST {_KEKS}/{{name}}/test": Operation(
        "test_kek",
        "Wrap and unwrap with a shared kek",
        "Kek",
        ("context",),
        codes=(*_KEK, 40370, 50070),
    ),
    f"GET {_KEKS}/{{name}}/deks": Operation(
        "list_dek_subjects",
        "List the subjects of a kek's deks",
        "Texts",
        ("deleted", "context", *PAGE),
        codes=_KEK,
    ),
    f"POST {_KEKS}/{{name}}/deks": Operation(
        "create_dek",
        "Create a dek",
        "Dek",
        ("rewrap", "context"),
        "NewDek",
        (*_DEK, 40370, 40971, 40972, 42205, 50070),
    ),
    f"GET {_KEKS}/{{name}}/deks/{{subject}}": Operation(
        "get_dek",
        "Read a dek's first version",
        "Dek",
        ("algorithm", "deleted", "context"),
        codes=(*_DEK, 50070),
    ),
    f"POST {_KEKS}/{{name}}/deks/{{subject}}": Operation(
        "create_subject_dek",
        "Create a subject's dek",
        "Dek",
        ("rewrap", "context"),
        "NewSubjectDek",
        (*_DEK, 40370, 40971, 40972, 42205, 50070),
        links=("get_dek", "list_dek_versions", "delete_deks", "undelete_deks"),
    ),
    f"DELETE {_KEKS}/{{name}}/deks/{{subject}}": Operation(
        "delete_deks",
        "Delete all versions of a dek, softly first",
        parameters=("algorithm", "permanent", "context"),
        codes=(*_DEK, 40471, 42205),
    ),
    f"POST {_KEKS}/{{name}}/deks/{{subject}}/undelete": Operation(
        "undelete_deks",
        "Take back the deletion of all versions of a dek",
        parameters=("algorithm", "context"),
        codes=(*_DEK, 40472, 42205),
    ),
    f"GET {_KEKS}/{{name}}/deks/{{subject}}/versions": Operation(
        "list_dek_versions",
        "List a dek's versions",
        "Numbers",
        ("algorithm", "deleted", "context", *PAGE),
        codes=_DEK,
    ),
    f"GET {_KEKS}/{{name}}/deks/{{subject}}/versions/{{version}}": Operation(
        "get_dek_version",
        "Read a version of a dek",
        "Dek",
        ("algorithm", "deleted", "context"),
        codes=(*_DEK, 50070),
    ),
    f"DELETE {_KEKS}/{{name}}/deks/{{subject}}/versions/{{version}}": Operation(
        "delete_dek_version",
        "Delete a version of a dek, softly first",
        parameters=("algorithm", "permanent", "context"),
        codes=(*_DEK, 40471, 42205),
    ),
    f"POST {_KEKS}/{{name}}/deks/{{subject}}/versions/{{version}}/undelete": Operation(
        "undelete_dek_version",
        "Take back the deletion of a version of a dek",
        parameters=("algorithm", "context"),
        codes=(*_DEK, 40472, 42205),
    ),
}

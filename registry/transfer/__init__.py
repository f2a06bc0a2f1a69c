"""Moving a registry in and out, by way of one neutral snapshot.

It is read from a peer over HTTP (`peer`), a `_schemas` topic (`topic`, `log`), a folder of files
(`folder`) or this registry's own database (`store`). `apply` brings it in; ids and versions stay.
"""

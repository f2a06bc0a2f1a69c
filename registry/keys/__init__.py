"""The DEK registry: key encryption keys (KEKs) of a KMS, and the data keys (DEKs) they wrap.

Clients that encrypt fields or payloads keep their wrapped keys here, per subject. Raw key
material is never stored, never logged and never part of an error or a repr.
"""

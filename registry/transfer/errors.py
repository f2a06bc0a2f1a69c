"""What stops a move as a whole; what is wrong with one entry is reported and skipped.

TransferError
├── PeerError          the other registry cannot be reached or answers what cannot be read
├── FolderError        a folder that is no export, or that holds other files
└── TopicRefusedError  a topic that cannot be a registry's log, or that holds one already
"""


class TransferError(Exception):
    """The move cannot be made."""

    code = "transfer-failed"
    http_status = 502


class PeerError(TransferError):
    """The other registry cannot be reached, refuses us, or does not speak the protocol."""

    code = "transfer-peer"


class FolderError(TransferError):
    """The folder cannot be read as an export, or must not be written over."""

    code = "transfer-folder"
    http_status = 422


class TopicRefusedError(TransferError):
    """The topic is not, or must not become, a registry's log."""

    code = "transfer-topic"
    http_status = 409


class EntryInvalidError(ValueError):
    """One entry that cannot be read; the message says why."""

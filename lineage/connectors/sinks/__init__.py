"""Target databases: one contract, one file each; a kind's file is imported when one is opened."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import cast
from urllib.parse import urlsplit

from lineage.connectors.errors import TargetInvalidError, TargetUnsetError
from lineage.connectors.sinks.contract import Sink
from lineage.connectors.sinks.kinds import KINDS, examples


def open_sink(url: str) -> Sink:
    """Open the target that an expanded URL names; its scheme selects the kind.

    Raises TargetUnsetError where the packages of its kind are not installed: elsewhere they may be.
    """
    scheme = urlsplit(url).scheme
    kind = KINDS.get(scheme)
    if kind is None:
        raise TargetInvalidError(f"{scheme or 'no scheme'}: a target is {examples()}")
    missing = [name for name in kind.modules if find_spec(name) is None]
    if missing:
        raise TargetUnsetError(
            f"a target {kind.example} needs {' and '.join(missing)}, not installed here: "
            f"pip install 'insideout[{kind.extra}]'"
        )
    module = import_module(f"{__name__}.{kind.module}")
    return cast("Callable[[str], Sink]", getattr(module, kind.sink))(url)

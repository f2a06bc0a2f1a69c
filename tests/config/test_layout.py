"""`platform/` is a path entry: a package there would shadow the standard library's module."""

import importlib
import platform
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_platform_is_no_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_importing_platform_gives_the_standard_librarys() -> None:
    assert platform.__file__ == str(Path(sysconfig.get_path("stdlib")) / "platform.py")


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("config", "platform/config"),
        ("broker", "platform/broker"),
        ("registry", "registry"),
        ("catalog", "catalog"),
        ("lineage", "lineage"),
        ("lineage.sampling", "lineage/sampling"),
        ("lineage.connectors", "lineage/connectors"),
        ("lineage.openlineage", "lineage/openlineage"),
        ("lineage.derivations", "lineage/derivations"),
    ],
)
def test_each_app_is_this_checkouts(name: str, folder: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ == str(ROOT / folder / "__init__.py")

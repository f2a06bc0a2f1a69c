"""Security settings come from files that name the cluster they are for."""

from pathlib import Path

import pytest

from broker.connection import ALLOWED_SECURITY
from config.clients import ALLOWED, addresses_of, read_security
from config.env import SettingInvalidError


def kept(folder: Path, text: str) -> str:
    file = folder / "client.properties"
    file.write_text(text)
    return str(file)


def test_a_secret_may_stand_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_PASSWORD", "s=3cret")
    file = kept(
        tmp_path,
        "# ours\nbootstrap.servers=b:2, a:1\nsecurity.protocol=SASL_SSL\n"
        "sasl.password = ${env:THE_PASSWORD}\n",
    )
    assert read_security([file]) == {
        addresses_of("a:1,b:2"): {"security.protocol": "SASL_SSL", "sasl.password": "s=3cret"}
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sasl.password=x", "does not say bootstrap.servers"),
        ("bootstrap.servers=a:1\nplugin.library.paths=/x", "plugin.library.paths"),
        ("bootstrap.servers=a:1\nsasl.password=${env:NOT_SET}", "NOT_SET"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SettingInvalidError, match=why):
        read_security([kept(tmp_path, text)])
    with pytest.raises(SettingInvalidError, match="cannot be read"):
        read_security([str(tmp_path / "none")])


def test_the_same_settings_are_allowed_as_in_a_connection() -> None:
    assert ALLOWED == ALLOWED_SECURITY

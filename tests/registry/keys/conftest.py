"""Keys over HTTP: a KEK and a DEK as most tests want them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from tests.registry.conftest import Json, Registry

KEKS = "/dek-registry/v1/keks"
SECRET = "a secret that both sides hold"
MATERIAL = "d3JhcHBlZA=="


class Keys(Registry):
    """The DEK registry over HTTP."""

    def kek(self, name: str = "orders", **more: Any) -> Json:
        """Create a KEK; must succeed."""
        body = {"name": name, "kmsType": "aws-kms", "kmsKeyId": "arn:aws:kms:key/1", **more}
        status, answer = self.call("POST", KEKS, body)
        assert status == 200, answer
        made: Json = answer
        return made

    def shared_kek(self, name: str = "orders", **more: Any) -> Json:
        """Create a KEK that the server can use itself."""
        return self.kek(name, kmsType="local-kms", kmsKeyId="key-1", shared=True, **more)

    def dek(self, subject: str = "s", kek: str = "orders", **more: Any) -> Json:
        """Create a DEK with material that a client wrapped; must succeed."""
        body = {"subject": subject, "encryptedKeyMaterial": MATERIAL, **more}
        status, answer = self.call("POST", f"{KEKS}/{kek}/deks", body)
        assert status == 200, answer
        made: Json = answer
        return made

    def done(self, method: str, path: str) -> None:
        """A request that answers 204 with no body."""
        assert self.call(method, f"{KEKS}/{path}") == (204, None)

    def refused(self, method: str, path: str, body: Any = None) -> int:
        """The error code of a request that must fail, with the HTTP status that it starts with."""
        status, code = self.error(method, f"{KEKS}{path}", body)
        assert status == (code if code < 1000 else code // 100)
        return code


@pytest.fixture
def keys(db: None) -> Keys:
    """The DEK registry over HTTP."""
    return Keys()


@pytest.fixture
def local_kms() -> Iterator[str]:
    """The server holds a secret for local-kms."""
    with override_settings(LOCAL_KMS_SECRET=SECRET):
        yield SECRET

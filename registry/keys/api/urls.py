"""The DEK registry's 17 operations; a subject may hold slashes, so the longer paths come first."""

from django.urls import re_path

from registry.api.boundary import Endpoint
from registry.keys.api import deks, keks

_KEK = r"dek-registry/v1/keks/(?P<name>[^/]+)"
_DEK = _KEK + r"/deks/(?P<subject>(?s:.+))"
_VERSION = _DEK + r"/versions/(?P<version>[^/]+)"

urlpatterns = [
    re_path(r"^dek-registry/v1/keks/?$", Endpoint(GET=keks.list_keks, POST=keks.create_kek)),
    re_path(rf"^{_VERSION}/undelete/?$", Endpoint(POST=deks.undelete_deks)),
    re_path(rf"^{_VERSION}/?$", Endpoint(GET=deks.get_dek, DELETE=deks.delete_deks)),
    re_path(rf"^{_DEK}/versions/?$", Endpoint(GET=deks.list_versions)),
    re_path(rf"^{_DEK}/undelete/?$", Endpoint(POST=deks.undelete_deks)),
    re_path(rf"^{_KEK}/deks/?$", Endpoint(GET=deks.list_subjects, POST=deks.create_dek)),
    re_path(
        rf"^{_DEK}$",
        Endpoint(GET=deks.get_dek, POST=deks.create_dek, DELETE=deks.delete_deks),
    ),
    re_path(rf"^{_KEK}/undelete/?$", Endpoint(POST=keks.undelete_kek)),
    re_path(rf"^{_KEK}/test/?$", Endpoint(POST=keks.try_kek)),
    re_path(
        rf"^{_KEK}/?$",
        Endpoint(GET=keks.get_kek, PUT=keks.update_kek, DELETE=keks.delete_kek),
    ),
]

"""WSGI entry point (Django over ASGI costs several times the CPU per request).

The server decodes the path before it hands it on: `/subjects/a%2Fb/versions` arrives as
`/subjects/a/b/versions`, so addresses that hold a free name take it as `<path:…>`.

What the registry answered before, and nothing changed since, does not reach Django again.
"""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()

# what reads models can be imported only now that the applications are set up
from registry.api.hot import HotPath  # noqa: E402
from registry.api.unchanged import Witness  # noqa: E402

application = HotPath(_django, Witness(), settings.REGISTRY_CACHE_BYTES)

"""WSGI entry point (Django over ASGI costs several times the CPU per request).

The server decodes the path before it hands it on: `/subjects/a%2Fb/versions` arrives as
`/subjects/a/b/versions`, so addresses that hold a free name take it as `<path:…>`.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

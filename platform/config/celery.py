"""Celery: jobs that a page or a schedule starts and that must outlive the request."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("insideout")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

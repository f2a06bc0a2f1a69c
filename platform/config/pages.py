"""Addresses of the overview and the health checks."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

"""Addresses of the pages of impact and of actors."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

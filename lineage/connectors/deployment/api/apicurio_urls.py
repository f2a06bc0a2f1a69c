"""What Apicurio's converter asks, at the addresses where it asks."""

from django.urls import path
from django.views.decorators.http import require_safe

from lineage.connectors.deployment.api.views import list_references, show_content

urlpatterns = [
    path("ids/contentIds/<int:schema_id>", require_safe(show_content)),
    path("ids/contentIds/<int:schema_id>/references", require_safe(list_references)),
]

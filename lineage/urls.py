"""Address of the lineage page."""

from django.urls import include, path

from lineage import views

urlpatterns = [
    path("lineage", views.show_lineage, name="lineage"),
    path("", include("lineage.questions_urls")),
]

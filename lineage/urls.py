"""Address of the lineage page."""

from django.urls import path

from lineage import views

urlpatterns = [path("lineage", views.show_lineage, name="lineage")]

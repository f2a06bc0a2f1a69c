"""Addresses of the pages of impact and of actors."""

from django.urls import path

from lineage.derivations import views

urlpatterns = [
    path("lineage/impact", views.show_impact, name="lineage-impact"),
    path("lineage/claims", views.claim_actor, name="claim-actor"),
    path("lineage/claims/<int:number>/withdraw", views.withdraw_claim, name="withdraw-claim"),
    # Kafka allows any text as a name: it stands in the query
    path("lineage/actor", views.show_actor, name="actor"),
]

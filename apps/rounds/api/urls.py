"""Addresses of integrations, at the root, as their clients have them (rounds.md 3)."""

from django.urls import URLPattern, path
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from apps.rounds.api import views
from apps.rounds.api.voids import VoidView


def _calls(address: str, view: type[View]) -> list[URLPattern]:
    """With and without a slash at the end; a key instead of a cookie proves who calls."""
    answering = csrf_exempt(view.as_view())
    return [path(address, answering), path(f"{address}/", answering)]


urlpatterns = [
    *_calls("gamerounds/<str:integration_id>/single", views.SingleView),
    *_calls("gamerounds/<str:integration_id>/batch", views.BatchView),
    *_calls("gamerounds/<str:integration_id>/void", VoidView),
    *_calls("external/<str:integration_id>/sync-operators-and-brands", views.BrandsView),
    *_calls("external/<str:integration_id>/sync-games", views.GamesView),
    *_calls("external/<str:integration_id>/active-games", views.ActiveGamesView),
    path("gamerounds/<path:rest>", csrf_exempt(views.nothing_here)),
    path("external/<path:rest>", csrf_exempt(views.nothing_here)),
]

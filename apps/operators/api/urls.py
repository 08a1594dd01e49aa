"""Addresses of the operator's own endpoints, below `/api/` and `/api/api/`. A slash at the end is optional."""

from django.urls import re_path

from apps.operators.api.views import catalogue, keys, players

PLAYER = r"^players/(?P<user_id>[^/]+)"

urlpatterns = [
    re_path(r"^players/?$", players.PlayersView.as_view()),
    re_path(PLAYER + r"/?$", players.PlayerView.as_view()),
    re_path(PLAYER + r"/totp/?$", players.TotpView.as_view()),
    re_path(PLAYER + r"/suspend/?$", players.SuspendView.as_view()),
    re_path(PLAYER + r"/self-exclude/?$", players.SelfExcludeView.as_view()),
    re_path(PLAYER + r"/reinstate/?$", players.ReinstateView.as_view()),
    re_path(r"^brands/?$", catalogue.BrandsView.as_view()),
    re_path(r"^keys/?$", keys.KeysView.as_view()),
    re_path(r"^keys/(?P<key_id>[0-9]{1,18})/?$", keys.KeyView.as_view()),
    re_path(r"^keys/(?P<key_id>[0-9]{1,18})/rotate/?$", keys.RotateKeyView.as_view()),
    re_path(r"^games/?$", catalogue.GamesView.as_view()),
    re_path(r"^games/(?P<slug>[^/]+)/?$", catalogue.GameView.as_view()),
    re_path(r"^settings/?$", catalogue.SettingsView.as_view()),
]

"""Addresses of the game's dialect: its realm and its API. A slash at the end is optional."""

from django.urls import re_path

from apps.matches.api.game import realm, views

REALM = r"^auth/realms/(?P<client_id>[^/]+)"
API = r"^api/game/v1/"
MATCH = API + r"matches/(?P<match_id>[0-9A-Za-z_\-]{1,64})"

urlpatterns = [
    re_path(REALM + r"/?$", realm.PublicKeyView.as_view()),
    re_path(REALM + r"/protocol/openid-connect/token/?$", realm.TokenView.as_view()),
    re_path(REALM + r"/protocol/openid-connect/certs/?$", realm.CertsView.as_view()),
    re_path(REALM + r"/\.well-known/openid-configuration/?$", realm.ConfigurationView.as_view()),
    re_path(API + r"finish/?$", views.FinishView.as_view()),
    re_path(API + r"token-info/?$", views.TokenInfoView.as_view()),
    re_path(API + r"matches/?$", views.MatchesView.as_view()),
    re_path(MATCH + r"/?$", views.MatchView.as_view()),
    re_path(MATCH + r"/disputes/?$", views.DisputesView.as_view()),
    re_path(API + r"events/?$", views.EventsView.as_view()),
    re_path(API + r".*$", views.NothingView.as_view()),
]

"""The addresses of the game platform's API, below each of its three mounts. A slash at the end is optional."""

from django.urls import re_path

from apps.tournaments.api.internal import views

TOURNAMENT = r"^tournaments/(?P<id>[^/]+)"

urlpatterns = [
    re_path(r"^auth/validate-token/?$", views.ValidateTokenView.as_view()),
    re_path(r"^tournaments/?$", views.LobbiesView.as_view()),
    re_path(TOURNAMENT + r"/config/?$", views.ConfigView.as_view()),
    re_path(TOURNAMENT + r"/status/?$", views.StatusView.as_view()),
    re_path(TOURNAMENT + r"/players/?$", views.PlayersView.as_view()),
    re_path(TOURNAMENT + r"/players/(?P<player>[^/]+)/?$", views.PlayerView.as_view()),
    re_path(TOURNAMENT + r"/events/?$", views.EventsView.as_view()),
    re_path(TOURNAMENT + r"/room/?$", views.RoomView.as_view()),
]

"""Addresses of the operator's calls, below `/api/` and `/api/api/`. A slash at the end is optional."""

from django.urls import re_path

from apps.matches.api.operator import views

MATCH = r"^matches/(?P<match_id>[^/]+)"

urlpatterns = [
    re_path(r"^matches/?$", views.MatchesView.as_view()),
    re_path(MATCH + r"/?$", views.MatchView.as_view()),
    re_path(MATCH + r"/confirm/?$", views.ConfirmView.as_view()),
    re_path(MATCH + r"/launch/?$", views.LaunchView.as_view()),
    re_path(MATCH + r"/forfeit/?$", views.ForfeitView.as_view()),
    re_path(MATCH + r"/cancel/?$", views.CancelView.as_view()),
    re_path(MATCH + r"/disputes/?$", views.DisputesView.as_view()),
    re_path(r"^match-clients/?$", views.ClientsView.as_view()),
    re_path(r"^match-clients/(?P<client_id>[^/]+)/?$", views.ClientView.as_view()),
]

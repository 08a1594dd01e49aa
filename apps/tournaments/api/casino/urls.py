"""The addresses of the casino dialect, below each mount (operators.md 1.1). A slash at the end is optional."""

from django.urls import re_path

from apps.tournaments.api.casino.views import history, players, results, scores, tournaments

TOURNAMENT = r"^tournaments/(?P<id>[^/]+)"
PLAYER = TOURNAMENT + r"/players/(?P<player>[^/]+)"

urlpatterns = [
    re_path(r"^tournaments/?$", tournaments.TournamentsView.as_view()),
    re_path(TOURNAMENT + r"/?$", tournaments.TournamentView.as_view()),
    re_path(TOURNAMENT + r"/start/?$", tournaments.StartView.as_view()),
    re_path(TOURNAMENT + r"/status/?$", tournaments.StatusView.as_view()),
    re_path(TOURNAMENT + r"/players/?$", players.PlayersView.as_view()),
    re_path(PLAYER + r"/?$", players.PlayerView.as_view()),
    re_path(PLAYER + r"/fee/?$", players.FeeView.as_view()),
    re_path(PLAYER + r"/rebuy/?$", players.RebuyView.as_view()),
    re_path(PLAYER + r"/score/?$", scores.ScoreView.as_view()),
    re_path(PLAYER + r"/reset-score/?$", scores.ResetView.as_view()),
    re_path(TOURNAMENT + r"/leaderboard/?$", results.LeaderboardView.as_view()),
    re_path(TOURNAMENT + r"/results/?$", results.ResultsView.as_view()),
    re_path(TOURNAMENT + r"/prize-pool/?$", results.PrizePoolView.as_view()),
    re_path(TOURNAMENT + r"/events/?$", results.EventsView.as_view()),
    re_path(r"^players/(?P<userId>[^/]+)/tournaments/?$", history.HistoryView.as_view()),
]

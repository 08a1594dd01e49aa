"""Addresses of the dialect, at `/developers-api/` and at the root. A slash at the end is optional."""

from django.urls import URLPattern, include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from apps.rumble.api.dialect.views import containers, history, settings, tournaments, users

TOURNAMENT = r"^rumble-tournaments/(?P<id>[^/]+)"
CONTAINER = r"^containers/(?P<containerId>[^/]+)"

urlpatterns: list[URLPattern] = [
    # The original's documentation spells it both ways.
    re_path(r"^auth/otp/init/?$", users.OtpInitView.as_view()),
    re_path(r"^auth/opt/init/?$", users.MisspelledOtpInitView.as_view()),
    re_path(r"^rumble-tournament-settings/?$", settings.SettingsListView.as_view()),
    re_path(r"^rumble-tournament-settings/(?P<id>[^/]+)/?$", settings.SettingsView.as_view()),
    re_path(r"^rumble-tournaments/?$", tournaments.TournamentsView.as_view()),
    re_path(TOURNAMENT + r"/?$", tournaments.TournamentView.as_view()),
    re_path(TOURNAMENT + r"/join/?$", tournaments.JoinView.as_view()),
    re_path(TOURNAMENT + r"/close-registration/?$", tournaments.CloseRegistrationView.as_view()),
    re_path(TOURNAMENT + r"/start/?$", tournaments.StartView.as_view()),
    re_path(TOURNAMENT + r"/scores/?$", tournaments.ScoresView.as_view()),
    re_path(TOURNAMENT + r"/resolve/?$", tournaments.ResolveView.as_view()),
    re_path(TOURNAMENT + r"/cancel/?$", tournaments.CancelView.as_view()),
    re_path(TOURNAMENT + r"/participants/?$", tournaments.ParticipantsView.as_view()),
    re_path(TOURNAMENT + r"/participants/(?P<userId>[^/]+)/?$", tournaments.ParticipantView.as_view()),
    re_path(TOURNAMENT + r"/prize-distribution/?$", tournaments.DistributionView.as_view()),
    re_path(TOURNAMENT + r"/scoreboard/?$", tournaments.ScoreboardView.as_view()),
    re_path(r"^containers/?$", containers.ContainersView.as_view()),
    re_path(CONTAINER + r"/?$", containers.ContainerView.as_view()),
    re_path(CONTAINER + r"/join/?$", containers.ContainerJoinView.as_view()),
    re_path(CONTAINER + r"/lock/?$", containers.LockView.as_view()),
    re_path(CONTAINER + r"/unlock/?$", containers.UnlockView.as_view()),
    re_path(CONTAINER + r"/refresh-expiration-time/?$", containers.RefreshView.as_view()),
    re_path(CONTAINER + r"/refund/?$", containers.RefundView.as_view()),
    re_path(CONTAINER + r"/resolve/?$", containers.ResolveContainerView.as_view()),
    re_path(CONTAINER + r"/transactions/(?P<transactionId>[^/]+)/?$", containers.ContainerTransactionView.as_view()),
    re_path(r"^user/join/?$", containers.UserJoinView.as_view()),
    re_path(r"^user/profile/?$", users.ProfileView.as_view()),
    re_path(r"^user/balances/?$", users.BalancesView.as_view()),
    re_path(r"^app-usage/webhook-calls/?$", history.WebhookCallsView.as_view()),
]

# The description, where the original has it; below its mount only.
documents = [
    re_path(
        r"^docs-json/?$",
        SpectacularJSONAPIView.as_view(
            patterns=[path("developers-api/", include(urlpatterns))],
            custom_settings={
                "TITLE": "Podium: rumble tournaments",
                "POSTPROCESSING_HOOKS": [
                    "drf_spectacular.hooks.postprocess_schema_enums",
                    "apps.core.api.schema.errors_everywhere",
                ],
            },
        ),
        name="rumble-schema",
    ),
    re_path(r"^docs/?$", SpectacularSwaggerView.as_view(url_name="rumble-schema")),
]

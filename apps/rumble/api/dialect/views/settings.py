"""Templates of tournaments (rumble.md 3.2 to 3.5)."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.paging import whole
from apps.core.errors import Invalid
from apps.rumble.api.dialect import answers, inputs
from apps.rumble.api.dialect.base import ApplicationView
from apps.rumble.api.dialect.docs import describe
from apps.rumble.api.dialect.paging import PARAMETERS, page
from apps.rumble.models import SettingsStatus, TournamentSettings
from apps.rumble.services import templates

EXAMPLE = {
    "name": "Friday Drag Rumble",
    "description": "One lap, best time points",
    "minParticipants": 4,
    "maxParticipants": 12,
    "registrationFeeInUpx": 100,
    "developerFeePercentage": 5,
    "stakeholderFeePercentage": 2,
    "prizeDistributionRules": [
        {"minParticipants": 4, "distribution": [70, 30]},
        {"minParticipants": 8, "distribution": [50, 25, 15, 10]},
    ],
}
COUNTS = {"minParticipants": "min_participants", "maxParticipants": "max_participants"}


class SettingsListView(ApplicationView):
    """All settings of the application."""

    @describe(
        "RumbleTournamentSettingsController_createRumbleTournamentSettings",
        "Create settings",
        {201: answers.SettingsOut},
        request=inputs.NewSettingsIn,
        sends=EXAMPLE,
    )
    def post(self, request: Request) -> Response:
        """Make settings that tournaments are made of."""
        new = inputs.new_settings(inputs.NewSettingsIn.read_body(self.body(request)))
        made = templates.create_settings(self.application, new, actor=self.actor, at=clock.now())
        return Response(answers.settings_json(made), status=201)

    @describe(
        "RumbleTournamentSettingsController_findRumbleTournamentSettings",
        "List settings",
        {200: answers.SettingsPageOut},
        parameters=[
            *PARAMETERS,
            *(OpenApiParameter(name, {"type": "integer", "minimum": 1}) for name in COUNTS),
            OpenApiParameter("status", str, enum=SettingsStatus.values),
        ],
    )
    def get(self, request: Request) -> Response:
        """List them, newest first; filters match exactly."""
        query = request.query_params
        rows = TournamentSettings.objects.filter(application=self.application)
        for name, column in COUNTS.items():
            if name in query:
                rows = rows.filter(**{column: whole(query, name, default=1, least=1, most=inputs.BIGGEST)})
        if status := query.get("status"):
            if status not in SettingsStatus.values:
                raise Invalid("Invalid query.", fields={"status": [f"One of {', '.join(SettingsStatus.values)}."]})
            rows = rows.filter(status=status)
        return Response(page(request, rows.order_by("-created_at", "-pk"), answers.settings_json))


class SettingsView(ApplicationView):
    """One of them."""

    @describe(
        "RumbleTournamentSettingsController_getRumbleTournamentSettings", "Get settings", {200: answers.SettingsOut}
    )
    def get(self, request: Request, id: str) -> Response:
        """Return settings."""
        return Response(answers.settings_json(templates.find_settings(self.application.pk, id)))

    @describe(
        "RumbleTournamentSettingsController_editRumbleTournamentSettings",
        "Change settings",
        {200: answers.SettingsOut},
        request=inputs.SettingsPatch,
        sends={"registrationFeeInUpx": 150, "maxParticipants": 16},
    )
    def patch(self, request: Request, id: str) -> Response:
        """Change what is given; tournaments that exist keep what they were made of."""
        found = templates.find_settings(self.application.pk, id)
        changes = inputs.settings_changes(inputs.SettingsPatch.read_body(self.body(request)))
        changed = templates.edit_settings(found.pk, changes, actor=self.actor, at=clock.now())
        return Response(answers.settings_json(changed))

"""Every address Podium answers on; each area brings its own."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from apps.rumble.api.dialect.errors import nothing_here
from apps.rumble.api.dialect.urls import documents as rumble_documents

# What operators call with their keys. Mounted twice, because clients of the original write either (operators.md 1.1).
operator_api = [
    path("", include("apps.operators.api.urls")),
    path("", include("apps.ledger.api.urls")),
    path("", include("apps.events.api.urls")),
    path("", include("apps.jobs.api.urls")),
    path("", include("apps.tournaments.api.casino.urls")),
    path("", include("apps.matches.api.operator.urls")),
    path("", include("apps.rumble.api.operator.urls")),
]

# What game platforms call with their keys; these clients write any of three prefixes.
internal_api = include("apps.tournaments.api.internal.urls")

urlpatterns = [
    path("", include("apps.core.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("apps.matches.api.game.urls")),
    path("internal/", internal_api),
    path("api/internal/", internal_api),
    path("api/api/internal/", internal_api),
    # Rooms come first: they are asked most, and few of their prefixes tell that a call is another's.
    path("", include("apps.rooms.api.mounts")),
    path("api/", include(operator_api)),
    path("api/api/", include(operator_api)),
    path("", include("apps.rounds.api.urls")),
    path("", include("apps.rumble.play.urls")),
    path("developers-api/", include("apps.rumble.api.dialect.urls")),
    path("developers-api/", include(rumble_documents)),
    path("developers-api/<path:rest>", csrf_exempt(nothing_here)),
    path("", include("apps.rumble.api.dialect.urls")),
]

handler400 = "apps.core.api.errors.bad_request"
handler403 = "apps.core.api.errors.permission_denied"
handler404 = "apps.core.api.errors.not_found"
handler500 = "apps.core.api.errors.server_error"

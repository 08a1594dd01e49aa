"""The look of the admin, and its map: what stands in the sidebar, under which heading, for whom."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

# How moments and days are written everywhere in the admin; all of them are UTC.
DATETIME_FORMAT = "j M Y H:i"
DATE_FORMAT = "j M Y"
# Whoever signs in without having asked for a page.
LOGIN_REDIRECT_URL = "admin:index"


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    def has(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return has


def _own(path: str) -> Callable[[HttpRequest], str]:
    """Find a file of ours when it is asked for; the settings are read before there is any static storage."""

    def find(request: HttpRequest) -> str:  # noqa: ARG001 - the theme passes it
        return static(f"podium/{path}")

    return find


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    """Return one line of the sidebar; `model` is `app.model`, and whoever may see its rows sees the line."""
    app, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": _may(f"{app}.view_{name}"),
    }


UNFOLD = {
    "SITE_TITLE": "Podium",
    "SITE_HEADER": "Podium",
    "SITE_SUBHEADER": "Competition operations",
    "SITE_URL": None,
    "SITE_SYMBOL": "trophy",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _own("icon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "STYLES": [_own("admin.css")],
    "SCRIPTS": [_own("admin.js")],
    "LOGIN": {"image": _own("login.svg")},
    "DASHBOARD_CALLBACK": "apps.core.admin.dashboard.fill",
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(58.5% .233 277.117)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [{"title": "Overview", "icon": "space_dashboard", "link": reverse_lazy("admin:index")}],
            },
            {
                "title": "Competitions",
                "items": [
                    _page("Tournaments", "trophy", "tournaments.tournament"),
                    _page("Entries", "how_to_reg", "tournaments.entry"),
                    _page("Buy-ins", "shopping_cart_checkout", "tournaments.buyin"),
                    _page("Invitations", "mail", "tournaments.invitation"),
                    _page("Game events", "sports_esports", "tournaments.gameevent"),
                    _page("Matches", "swords", "matches.match"),
                    _page("Containers", "inventory_2", "rumble.container"),
                    _page("Rooms", "meeting_room", "rooms.room"),
                    _page("Room tasks", "checklist", "rooms.task"),
                    _page("Room games", "tune", "rooms.gamesettings"),
                    _page("Allowances", "price_check", "rooms.allowance"),
                    _page("Chips", "poker_chip", "rooms.chip"),
                ],
            },
            {
                "title": "Money",
                "items": [
                    _page("Payouts", "payments", "ledger.payout"),
                    _page("Settlement plans", "fact_check", "ledger.settlementplan"),
                    _page("Calls to operators", "call_made", "ledger.callbackattempt"),
                    _page("Accounts", "account_balance", "ledger.account"),
                    _page("Journals", "menu_book", "ledger.journal"),
                    _page("Transfers", "swap_horiz", "ledger.transfer"),
                    _page("Holds", "lock_clock", "ledger.hold"),
                    _page("Chain", "link", "ledger.chaintransaction"),
                    _page("Assets", "toll", "ledger.asset"),
                ],
            },
            {
                "title": "Game rounds",
                "items": [
                    _page("Intake health", "monitoring", "rounds.intakeminute"),
                    _page("Channels", "conversion_path", "rounds.channel"),
                    _page("Set aside", "report", "rounds.setasideround"),
                ],
            },
            {
                "title": "Activity",
                "items": [
                    _page("Facts", "receipt_long", "events.fact"),
                    _page("Webhooks", "webhook", "events.endpoint"),
                    _page("Deliveries", "outbox", "events.delivery"),
                    _page("Queues", "queue", "events.queue"),
                    _page("Incoming queues", "move_to_inbox", "events.inboundqueue"),
                    _page("Jobs", "progress_activity", "jobs.job"),
                ],
            },
            {
                "title": "Players and games",
                "items": [
                    _page("Players", "group", "operators.player"),
                    _page("Brands", "storefront", "operators.brand"),
                    _page("Games", "casino", "operators.game"),
                ],
            },
            {
                "title": "Access",
                "items": [
                    _page("Operators", "domain", "operators.operator"),
                    _page("Keys", "key", "operators.credential"),
                    _page("Outbound keys", "vpn_key", "ledger.outboundkey"),
                    _page("Match clients", "hub", "matches.client"),
                    _page("Applications", "apps", "rumble.application"),
                    _page("Staff", "badge", "operators.membership"),
                    _page("Logins", "manage_accounts", "operators.user"),
                ],
            },
        ],
    },
}

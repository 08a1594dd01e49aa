"""The look of the admin."""

UNFOLD = {
    "SITE_TITLE": "Podium",
    "SITE_HEADER": "Podium",
    "SITE_SYMBOL": "trophy",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": True, "show_all_applications": True},
}

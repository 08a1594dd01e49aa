"""What staff of each role may do in the admin. A person's permissions are those of their memberships, nothing else."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from django.contrib.auth.backends import ModelBackend

from apps.operators.models import Membership, Role, User

# What was paid is taken back by those who answer for money, not by those who run the play.
_MATCHES = tuple(
    f"matches.{verb}"
    for verb in ("abort_match", "cancel_match", "forfeit_match", "settle_match", "decide_dispute", "register_client")
)
_COMPETITIONS = ("tournaments.*",)
_PEOPLE = ("operators.change_player", "operators.add_player", "operators.block_player")

# Patterns over `<app>.<codename>`. Everybody sees everything of their own operators.
GRANTS: Mapping[Role, tuple[str, ...]] = {
    Role.OWNER: ("*",),
    Role.MANAGER: (
        "*.view_*",
        *_COMPETITIONS,
        *_PEOPLE,
        "operators.*_game",
        "operators.*_brand",
        "rooms.*",
        *_MATCHES,
        "rumble.*",
        "jobs.*",
        "events.*",
        "rounds.*",
    ),
    Role.FINANCE: (
        "*.view_*",
        "ledger.*",
        "tournaments.cancel_tournament",
        "tournaments.resume_tournament",
        "rooms.refund_room",
        "rooms.close_room",
        "matches.abort_match",
        "matches.settle_match",
        "matches.decide_dispute",
        "matches.correct_match",
        "rumble.refund_container",
        "jobs.*",
    ),
    Role.SUPPORT: (
        "*.view_*",
        *_PEOPLE,
        "tournaments.remove_entry",
        "tournaments.rebuy_entry",
        "events.test_endpoint",
        "events.replay_endpoint",
        "events.retry_delivery",
        "rooms.remove_member",
        "rooms.end_sessions",
        "rooms.change_allowance",
    ),
    Role.AUDITOR: ("*.view_*",),
}
# No role, not even an owner's, covers what belongs to the platform.
PLATFORM_ONLY = (
    "operators.add_operator",
    "operators.suspend_operator",
    "operators.delete_*",
    "operators.*_user",
    "auth.*",
    "admin.*",
    "*.delete_*",
)


def allows(role: str, permission: str) -> bool:
    """Tell whether a role carries a permission such as `tournaments.cancel_tournament`."""
    if any(fnmatchcase(permission, pattern) for pattern in PLATFORM_ONLY):
        return False
    return any(fnmatchcase(permission, pattern) for pattern in GRANTS[Role(role)])


def memberships_of(user: User) -> Iterable[Membership]:
    """Return the user's memberships, read once per request."""
    found: list[Membership] | None = getattr(user, "_memberships", None)
    if found is None:
        found = list(user.memberships.select_related("operator"))
        user._memberships = found  # type: ignore[attr-defined]  # noqa: SLF001
    return found


class RoleBackend(ModelBackend):
    """Lets staff sign in, and answers permission questions from memberships and from nothing else.

    For an object, the membership with its operator counts. Permissions of Django's own tables are never looked at.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Tell whether any membership, or the one with the object's operator, carries the permission."""
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        operator_id = getattr(obj, "operator_id", None)
        return any(
            allows(membership.role, perm)
            for membership in memberships_of(user_obj)
            if operator_id is None or membership.operator_id == operator_id
        )

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Tell whether the person sees anything of an app."""
        return self.has_perm(user_obj, f"{app_label}.view_anything")

    def operators_of(self, user_obj: Any) -> frozenset[int]:
        """Return the ids of the operators whose rows the person sees; the admin's tenant filter asks for it."""
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return frozenset()
        return frozenset(membership.operator_id for membership in memberships_of(user_obj))

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return none: permissions come from memberships."""
        return set()

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return none: there are no groups."""
        return set()

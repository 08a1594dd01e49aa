"""What staff see and do of the people of games: one-time codes, sessions, allowances, game keys."""

from datetime import timedelta

import pyotp
import pytest
from django.contrib.admin.models import LogEntry

from apps.core import clock
from apps.core.actors import SYSTEM
from apps.events.models import Fact
from apps.operators.models import Credential, CredentialKind, Player, PlayerSecret
from apps.operators.services import otp
from apps.rooms.api import signatures
from apps.rooms.models import Activity, Allowance, GameSession
from apps.rooms.services import passes, sessions
from tests.admin.scenes import change, fresh, operation, press, signed_in, text, url


@pytest.fixture
def support(acme):
    return signed_in(acme.staff["support"])


@pytest.fixture
def rae(acme):
    """A player in a room, whose handle was made of their user id."""
    player = acme.floor.people["rae"]
    return otp.enrol(player.pk, handle="rae-77", actor=SYSTEM, at=clock.now()).player


def test_one_time_codes_are_set_up_and_shown_once(acme, support):
    page = press(support, operation(acme.player, "enrol-codes"), handle="Ann-11")
    secret = page.context["answer"].secret
    assert fresh(acme.player).handle == "ann-11"
    assert secret in text(page)
    at = clock.now()
    otp.verify(fresh(acme.player), pyotp.TOTP(secret).at(at), at=at)
    assert secret not in text(support.get(change(acme.player)))
    assert not LogEntry.objects.filter(change_message__contains=secret).exists()
    assert support.get(operation(acme.player, "enrol-codes")).status_code == 302


def test_a_name_that_is_taken_is_said_in_the_form(acme, rae, support):
    page = press(support, operation(acme.player, "enrol-codes"), handle="rae-77")
    assert "Another player of the operator has this plyrId." in text(page)
    assert fresh(acme.player).handle is None


def test_who_has_a_name_is_not_asked_for_one(acme, rae, support):
    otp.remove(rae.pk, actor=SYSTEM, at=clock.now())
    form = support.get(operation(rae, "enrol-codes")).context["form"]
    assert "handle" not in form.fields
    press(support, operation(rae, "enrol-codes"))
    assert PlayerSecret.objects.filter(player=rae).exists()


def test_codes_are_removed(acme, rae, support):
    press(support, operation(rae, "remove-codes"), reason="lost phone")
    assert not PlayerSecret.objects.filter(player=rae).exists()
    assert "lost phone" in LogEntry.objects.latest("pk").change_message


def test_a_player_is_found_by_plyr_id(acme, rae, support):
    found = support.get(url(Player, "changelist"), {"q": "RAE-77"}).context["cl"].result_list
    assert [row.pk for row in found] == [rae.pk]


def test_the_page_of_a_player_tells_how_they_get_in_and_what_games_may_take(acme, rae, support):
    sessions.issue(rae, game_id="ludo", seconds=3600, actor=SYSTEM, at=clock.now())
    acme.floor.approve("rae", 30, until=clock.now() + timedelta(days=1))
    shown = text(support.get(change(rae)))
    for part in ("rae-77", "One-time codes", "Sessions", "Live", "Allowances", "30 UPX"):
        assert part in shown, part


def test_a_guests_page_tells_where_they_came_from(acme, support):
    grants = passes.grants_for_guest(acme.operator.pk, ["gamr"])
    told = {"actor": SYSTEM, "at": clock.now()}
    welcome, _ = passes.register(acme.operator.pk, game_id="ludo", grants=grants, **told)
    guest = Player.objects.get(pk=welcome.profile.player_id)
    shown = text(support.get(change(guest)))
    assert "Came as a guest of" in shown
    assert "&lt;" not in shown  # no markup of ours shown as text
    assert support.get(operation(guest, "enrol-codes")).status_code == 302


def test_sessions_are_ended(acme, rae, support):
    for game in ("ludo", "chess"):
        sessions.issue(rae, game_id=game, seconds=3600, actor=SYSTEM, at=clock.now())
    page = press(support, operation(rae, "end-sessions"), reason="stolen phone")
    assert page.status_code == 302
    assert list(GameSession.objects.values_list("nonce", "deadline")) == [(2, None), (2, None)]
    assert support.get(operation(rae, "end-sessions")).status_code == 302


def test_allowances_are_revoked_one_by_one_or_all(acme, rae, support):
    acme.floor.player("rae", asset="gamr", funds=0)
    first, second = Allowance.objects.filter(player=rae).order_by("pk")
    Allowance.objects.update(expires_at=clock.now() + timedelta(days=1))
    press(support, operation(first, "revoke"), reason="by phone")
    assert (fresh(first).units, fresh(second).units > 0) == (0, True)
    press(support, operation(rae, "revoke-allowances"), reason="by phone")
    assert fresh(second).units == 0
    notes = Activity.objects.filter(action="revoke").order_by("pk").values_list("data", flat=True)
    assert [note["reason"] for note in notes] == ["by phone", "by phone"]
    assert Fact.objects.filter(type="player.revoked").count() == 2


def test_auditors_only_look(acme, rae):
    auditor = signed_in(acme.staff["auditor"])
    sessions.issue(rae, game_id="ludo", seconds=3600, actor=SYSTEM, at=clock.now())
    for name in ("remove-codes", "end-sessions", "revoke-allowances"):
        assert auditor.get(operation(rae, name)).status_code in {302, 403}
        auditor.post(operation(rae, name), {"reason": "x", "ticket": "t"})
    assert PlayerSecret.objects.filter(player=rae).exists()
    assert GameSession.objects.get().deadline is not None
    assert Allowance.objects.filter(player=rae, units__gt=0).exists()


def test_a_games_key_is_issued_with_its_secret_shown_once(acme, client):
    owner = signed_in(acme.staff["owner"])
    page = press(
        owner, url(Credential, "add"), operator=acme.operator.pk, kind=CredentialKind.GAME, name="Ludo", ref="ludo"
    )
    answer = page.context["answer"]
    assert answer.key in text(page)
    assert answer.secret in text(page)
    assert answer.secret not in text(owner.get(change(answer.credential)))
    stamp = str(int(clock.now().timestamp() * 1000))
    headers = {"apikey": answer.key, "timestamp": stamp, "signature": signatures.sign(answer.secret, stamp, b"{}")}
    assert client.get("/api/game/chip/info", headers=headers).json()["chips"][0]["symbol"] == "GOLD"
    turned = press(owner, operation(answer.credential, "rotate"), overlap_seconds="3600").context["answer"]
    assert turned.credential.ref == "ludo"
    assert turned.secret not in {"", answer.secret}


@pytest.mark.parametrize("ref", ["", "no spaces", "a/b"])
def test_a_games_key_needs_the_name_of_its_game(acme, ref):
    owner = signed_in(acme.staff["owner"])
    before = Credential.objects.count()
    press(owner, url(Credential, "add"), operator=acme.operator.pk, kind=CredentialKind.GAME, name="Ludo", ref=ref)
    assert Credential.objects.count() == before

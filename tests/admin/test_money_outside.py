"""Buy-ins, invitations and keys of calls to operators, as staff see and decide them."""

from django.core.files.uploadedfile import SimpleUploadedFile

from apps.ledger.models import OutboundKey
from apps.tournaments.models import Entry, Invitation
from tests.admin.scenes import change, fresh, operation, press, signed_in, text, url


def test_finance_sees_what_nobody_knows_and_its_tries(acme):
    client = signed_in(acme.staff["finance"])
    page = text(client.get(change(acme.buy_in)))
    for said in ("Outcome unknown", "Try 1", str(acme.buy_in.ref), "10 USD"):
        assert said in page
    assert "Buy-ins whose outcome nobody knows" in text(client.get("/admin/"))


def test_a_manager_lets_in_who_paid_and_support_may_not(acme):
    address = operation(acme.buy_in, "joined")
    assert signed_in(acme.staff["support"]).get(address).status_code == 403
    assert fresh(acme.buy_in).status == "UNKNOWN"
    answer = press(signed_in(acme.staff["manager"]), address, reason="in their log")
    assert answer.status_code == 302
    decided = fresh(acme.buy_in)
    assert (decided.status, decided.note) == ("JOINED", "in their log")
    assert Entry.objects.filter(tournament=acme.cup).count() == 1


def test_a_manager_frees_the_seat_of_who_did_not_pay(acme):
    press(signed_in(acme.staff["manager"]), operation(acme.buy_in, "not-joined"), reason="not in their log")
    assert fresh(acme.buy_in).status == "REFUSED"
    assert not Entry.objects.filter(tournament=acme.cup).exists()


def test_players_are_invited_by_file_or_line_by_line(acme):
    client, address = signed_in(acme.staff["manager"]), operation(acme.vips, "invite")
    slug = acme.operator.slug
    file = SimpleUploadedFile("vips.csv", f"\ufeffbrandId;playerId\r\n{slug};bob\r\n{slug};cid\r\n".encode())
    press(client, address, file=file)
    press(client, address, lines=f"{slug},bob\n{slug},dan")
    listed = Invitation.objects.filter(tournament=acme.vips).values_list("player_ref", flat=True)
    assert sorted(listed) == ["ann", "bob", "cid", "dan"]
    assert "Line 1: brand and player are needed." in text(press(client, address, lines="only"))
    assert "Name at least one player." in text(press(client, address))
    assert "not UTF-8" in text(press(client, address, file=SimpleUploadedFile("x.csv", b"\xff\xfe,\xff")))


def test_an_invitation_is_taken_back(acme):
    one = Invitation.objects.get(tournament=acme.vips)
    press(signed_in(acme.staff["manager"]), operation(one, "withdraw"))
    assert not Invitation.objects.filter(tournament=acme.vips).exists()


def test_the_key_of_our_calls_is_shown_once(acme):
    client = signed_in(acme.staff["owner"])
    shown = text(press(client, url(OutboundKey, "add"), kind="PAYOUT", key="agreed-secret"))
    assert "agreed-secret" in shown
    row = OutboundKey.objects.get(operator=acme.operator, kind="PAYOUT")
    assert "agreed-secret" not in text(client.get(change(row)))
    assert "agreed-secret" not in row.sealed_key
    history = text(client.get(url(row, "history", row.pk)))
    assert "agreed-secret" not in history

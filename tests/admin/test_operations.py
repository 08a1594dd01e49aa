"""Buttons: the graph decides which, the permission decides who, GET never acts, and one press is one act."""

from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry

from apps.core.admin.operations import Preview
from apps.events.models import Fact
from apps.jobs.models import Job
from apps.ledger.lifecycle import PayoutStatus
from apps.ledger.models import Journal, Payout, SettlementPlan
from apps.tournaments.models import Entry, Tournament
from apps.tournaments.services import running
from tests.admin.scenes import STAFF, change, fresh, operation, press, signed_in, status, text, url
from tests.tournaments import world


def books() -> tuple[int, ...]:
    """Everything that an act would add to."""
    return tuple(table.objects.count() for table in (Fact, Journal, Payout, Job, LogEntry))


# What each role finds on the page of a tournament in each state.
BUTTONS = [
    ("owner", "draft", {"publish", "edit", "clone", "cancel"}),
    ("owner", "upcoming", {"start", "close-registration", "edit", "clone", "cancel"}),
    ("owner", "running", {"complete", "clone", "cancel"}),
    ("owner", "waiting", {"approve-payouts", "clone"}),
    ("owner", "closed", {"clone"}),
    ("manager", "running", {"complete", "clone", "cancel"}),
    ("manager", "waiting", {"clone"}),
    ("finance", "running", {"cancel"}),
    ("finance", "upcoming", {"cancel"}),
    ("finance", "waiting", {"approve-payouts"}),
    ("support", "running", set()),
    ("support", "draft", set()),
    ("auditor", "running", set()),
    ("auditor", "waiting", set()),
]


@pytest.mark.parametrize("role, state, expected", BUTTONS)
def test_the_graph_decides_which_buttons_show_and_the_permission_to_whom(acme, role, state, expected):
    page = signed_in(acme.staff[role]).get(change(getattr(acme, state)))
    assert {item["operation"].name for item in page.context["operations"]} == expected


@pytest.mark.parametrize("role", ["support", "auditor"])
@pytest.mark.parametrize(
    "name", ["publish", "start", "close-registration", "complete", "cancel", "approve-payouts", "edit"]
)
def test_without_the_permission_an_operation_is_refused_and_nothing_moves(acme, role, name):
    row = {"publish": acme.draft, "complete": acme.running, "approve-payouts": acme.waiting}.get(name, acme.upcoming)
    before, state = books(), status(row)
    client = signed_in(acme.staff[role])
    assert client.get(operation(row, name)).status_code == 403
    assert client.post(operation(row, name), {"reason": "because", "ticket": "t"}).status_code == 403
    assert (books(), status(row)) == (before, state)


def test_who_has_not_signed_in_is_sent_to_do_so(acme, client):
    answer = client.post(operation(acme.running, "cancel"), {"reason": "because", "ticket": "t"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
    assert status(acme.running) == "RUNNING"


def test_get_never_acts_whatever_it_asks_for(acme, nordic):
    client = signed_in(acme.staff["owner"])
    before = books()
    for model, site in admin.site._registry.items():
        for row in acme.rows(model)[:5]:
            for one in site.all_operations():
                answer = client.get(operation(row, one.name), {"reason": "because", "ticket": "t"})
                assert answer.status_code in {200, 302, 403}
    assert books() == before
    assert {status(row) for row in (acme.draft, acme.upcoming, acme.running, acme.waiting)} == {
        "DRAFT", "REGISTERING", "RUNNING", "SETTLING",
    }  # fmt: skip


def test_cancelling_shows_every_refund_first_and_then_owes_exactly_those(acme):
    client = signed_in(acme.staff["manager"])
    asked = client.get(operation(acme.running, "cancel"))
    preview: Preview = asked.context["preview"]
    assert preview.count == 3
    page = text(asked)
    assert all(name in page for name in ("Ann", "Bob", "Cid", "30.00 USD", "Nothing has happened yet."))
    answer = press(client, operation(acme.running, "cancel"), reason="venue closed")
    assert (answer.status_code, answer["Location"]) == (302, change(acme.running))
    cancelled = fresh(acme.running)
    assert (cancelled.status, cancelled.cancel_reason) == ("REFUNDING", "venue closed")
    owed = Payout.objects.filter(subject=acme.running.subject).select_related("player").order_by("pk")
    shown = [(row[0], row[-1]) for row in preview.rows]
    real = [
        (f'<a class="pd-link" href="{change(Entry.objects.get(pk=payout.entry_ref))}">{payout.player}</a>',
         f'<span class="pd-money">{payout.units / 100:.2f} USD</span>')
        for payout in owed
    ]  # fmt: skip
    assert shown == real


def test_completing_pays_exactly_the_lines_of_the_dry_run(acme):
    client = signed_in(acme.staff["owner"])
    preview = client.get(operation(acme.running, "complete")).context["preview"]
    assert [row[0] for row in preview.rows] == [1, 2, 3]
    press(client, operation(acme.running, "complete"), reason="the last round is over")
    prizes = Payout.objects.filter(subject=acme.running.subject).order_by("position")
    assert [row[-1] for row in preview.rows] == [
        f'<span class="pd-money">{one.units / 100:.2f} USD</span>' for one in prizes
    ]
    assert [int(one.units) for one in prizes] == [1500, 900, 600]


def test_approving_shows_the_stored_payouts_and_lets_them_go(acme):
    client = signed_in(acme.staff["finance"])
    preview = client.get(operation(acme.waiting, "approve-payouts")).context["preview"]
    assert preview.count == 3
    answer = press(client, operation(acme.waiting, "approve-payouts"))
    assert answer.status_code == 302
    waiting = Payout.objects.filter(subject=acme.waiting.subject)
    assert {one.status for one in waiting} == {PayoutStatus.PROCESSING}
    page = client.get(change(acme.waiting))
    assert "3 payouts approved" in text(page)
    assert {item["operation"].name for item in page.context["operations"]} == set()
    assert (
        Fact.objects.get(subject=acme.waiting.subject, type="payouts.approved").actor
        == f"staff:{acme.staff['finance']}"
    )


@pytest.mark.parametrize("model", [Payout, SettlementPlan])
def test_payouts_are_approved_from_their_own_page_and_from_their_plans(acme, model):
    client = signed_in(acme.staff["finance"])
    row = model.objects.filter(subject=acme.waiting.subject).first()
    assert client.get(operation(row, "approve-payouts")).context["preview"].count == 3
    press(client, operation(row, "approve-payouts"))
    assert {one.status for one in Payout.objects.filter(subject=acme.waiting.subject)} == {PayoutStatus.PROCESSING}
    assert Fact.objects.filter(subject=acme.waiting.subject, type="payouts.approved").count() == 1
    assert "Approve" not in {item["operation"].label for item in client.get(change(row)).context["operations"]}


def test_an_act_names_its_actor_and_request_and_is_kept_with_its_reason(acme):
    client = signed_in(acme.staff["manager"])
    ticket = client.get(operation(acme.running, "cancel")).context["form"]["ticket"].value()
    said = {"reason": "venue closed", "ticket": ticket}
    client.post(operation(acme.running, "cancel"), said, headers={"X-Request-Id": "req_from_ada"})
    fact = Fact.objects.get(subject=acme.running.subject, type="tournament.cancelled")
    assert (fact.actor, fact.request_id) == (f"staff:{acme.staff['manager']}", "req_from_ada")
    entry = LogEntry.objects.latest("pk")
    assert entry.user == acme.staff["manager"]
    assert entry.object_id == str(acme.running.pk)
    assert entry.change_message == "Cancel and refund; reason: venue closed"
    assert "venue closed" in text(client.get(url(acme.running, "history", acme.running.pk)))


def test_a_reason_that_only_the_log_keeps_is_kept(acme):
    press(signed_in(acme.staff["manager"]), operation(acme.running, "complete"), reason="round ten is over")
    assert LogEntry.objects.latest("pk").change_message == "Complete; reason: round ten is over"


@pytest.mark.parametrize("name", ["cancel", "complete"])
@pytest.mark.parametrize("reason", ["", "   "])
def test_no_reason_no_act(acme, name, reason):
    before = books()
    answer = press(signed_in(acme.staff["owner"]), operation(acme.running, name), reason=reason)
    assert answer.status_code == 200
    assert "This field is required." in text(answer)
    assert (books(), status(acme.running)) == (before, "RUNNING")


def test_pressing_twice_is_pressing_once(acme):
    client = signed_in(acme.staff["support"])
    entry = acme.entries[0]
    ticket = client.get(operation(entry, "rebuy")).context["form"]["ticket"].value()
    said = {"additional_entries": 1, "payment_id": "pay_1", "reason": "paid at the desk", "ticket": ticket}
    first = client.post(operation(entry, "rebuy"), said)
    assert first.status_code == 302
    after = books()
    second = client.post(operation(entry, "rebuy"), said, follow=True)
    assert "it was done once" in text(second)
    assert (fresh(entry).entry_count, books()) == (2, after)


def test_a_second_rebuy_from_a_new_form_is_a_second_rebuy(acme):
    client = signed_in(acme.staff["support"])
    entry = acme.entries[0]
    for _ in range(2):
        press(client, operation(entry, "rebuy"), additional_entries=1, reason="paid at the desk")
    assert (fresh(entry).entry_count, int(fresh(entry).paid_units)) == (3, 2000)


def test_a_form_without_its_ticket_does_nothing(acme):
    before = books()
    answer = signed_in(acme.staff["owner"]).post(operation(acme.running, "cancel"), {"reason": "venue closed"})
    assert answer.status_code == 200
    assert (books(), status(acme.running)) == (before, "RUNNING")


def test_an_operation_whose_time_has_passed_says_so_and_changes_nothing(acme):
    client = signed_in(acme.staff["owner"])
    form = client.get(operation(acme.running, "complete")).context["form"]
    running.complete(acme.running.pk, actor=STAFF, at=world.START)
    before = books()
    said = {"reason": "over", "ticket": form["ticket"].value()}
    answer = client.post(operation(acme.running, "complete"), said, follow=True)
    assert "not possible any more" in text(answer)
    assert books() == before


def test_a_rule_that_says_no_is_shown_with_what_was_typed_and_the_form_can_be_sent_again(acme):
    client = signed_in(acme.staff["owner"])
    entry = acme.entries[0]
    ticket = client.get(operation(entry, "rebuy")).context["form"]["ticket"].value()
    said = {"additional_entries": 9, "payment_id": "", "reason": "nine more", "ticket": ticket}
    before = books()
    refused = client.post(operation(entry, "rebuy"), said)
    assert refused.status_code == 200
    assert "The player would have more entries than allowed." in text(refused)
    assert "nine more" in text(refused)
    assert (books(), fresh(entry).entry_count) == (before, 1)
    client.post(operation(entry, "rebuy"), {**said, "additional_entries": 1})
    assert fresh(entry).entry_count == 2


def test_an_unknown_operation_is_refused(acme):
    assert signed_in(acme.staff["owner"]).get(operation(acme.running, "explode")).status_code == 403


def test_removing_before_the_start_refunds_and_says_so_first(acme):
    client = signed_in(acme.staff["support"])
    entry = acme.entries[1]
    assert "10.00 USD" in text(client.get(operation(entry, "remove")))
    press(client, operation(entry, "remove"), how="voluntary_exit", reason="asked to leave")
    assert fresh(entry).status == "WITHDRAWN"
    fact = Fact.objects.get(subject=acme.upcoming.subject, type="player.removed")
    assert (fact.data["refundAmount"], fact.data["details"]) == (10, "asked to leave")
    assert world.escrow(acme.upcoming) == 2000


def test_removing_while_it_runs_eliminates_and_refunds_nothing(acme):
    client = signed_in(acme.staff["support"])
    entry = Entry.objects.get(tournament=acme.running, player__external_id="bob")
    assert "nothing is refunded" in text(client.get(operation(entry, "remove")))
    press(client, operation(entry, "remove"), how="elimination", reason="cheated")
    assert fresh(entry).status == "OUT"
    assert world.escrow(acme.running) == 3000


def test_a_score_is_adjusted_with_its_reason_on_the_record(acme):
    client = signed_in(acme.staff["manager"])
    entry = Entry.objects.get(tournament=acme.running, player__external_id="cid")
    press(client, operation(entry, "adjust-score"), points="99.5", reason="game server was late")
    assert fresh(entry).points == Decimal("99.5")
    fact = Fact.objects.filter(subject=acme.running.subject, type="player.score.adjusted").latest("pk")
    assert (str(fact.data["after"]), fact.data["reason"]) == ("99.5", "game server was late")
    assert signed_in(acme.staff["support"]).get(operation(entry, "adjust-score")).status_code == 403


def _fail(payout: Payout) -> None:
    payout.give_up(error="The books said no.")
    payout.save(update_fields=["status", "error", "next_attempt_at"])


@pytest.fixture
def failed(acme) -> Payout:
    """A refund that needs a person."""
    running.cancel(acme.running.pk, reason="rain", actor=STAFF, at=world.START)
    payout = Payout.objects.filter(subject=acme.running.subject).earliest("pk")
    _fail(payout)
    return payout


def test_a_failed_payout_is_retried_with_the_same_amount(acme, failed):
    press(signed_in(acme.staff["finance"]), operation(failed, "retry"), reason="the account is open again")
    assert (fresh(failed).status, fresh(failed).units) == ("PROCESSING", failed.units)


def test_a_payout_settled_outside_keeps_the_note_and_is_never_paid_again(acme, failed):
    client = signed_in(acme.staff["finance"])
    press(client, operation(failed, "settle-outside"), note="Bank transfer 4711")
    settled = fresh(failed)
    assert (settled.status, settled.error) == ("PAID", "Bank transfer 4711")
    assert settled.journal.kind == "payout.outside"
    assert client.get(change(failed)).context["operations"] == []
    assert LogEntry.objects.latest("pk").change_message == "Settled outside; note: Bank transfer 4711"


def test_a_waiting_payout_is_rejected_with_a_reason(acme):
    payout = Payout.objects.filter(subject=acme.waiting.subject).latest("pk")
    press(signed_in(acme.staff["finance"]), operation(payout, "reject"), reason="banned player")
    assert (fresh(payout).status, fresh(payout).error) == ("NOT_ELIGIBLE", "banned player")


@pytest.mark.parametrize("role", ["manager", "support", "auditor"])
@pytest.mark.parametrize("name", ["retry", "settle-outside", "reject", "approve-payouts"])
def test_only_finance_and_owners_decide_about_payouts(acme, failed, role, name):
    client = signed_in(acme.staff[role])
    assert client.get(operation(failed, name)).status_code == 403
    assert client.post(operation(failed, name), {"reason": "x", "note": "x", "ticket": "t"}).status_code == 403
    assert fresh(failed).status == "ERROR_MANUAL"


def test_a_bulk_operation_asks_once_and_does_each_that_it_can(acme, nordic, failed):
    client = signed_in(acme.staff["finance"])
    others = list(Payout.objects.filter(subject=acme.running.subject).exclude(pk=failed.pk))
    _fail(others[0])
    theirs = Payout.objects.filter(operator=nordic.operator).first()
    chosen = [failed.pk, others[0].pk, others[1].pk, theirs.pk]
    said = {"action": "retry", "_selected_action": chosen, "index": 0}
    asked = client.post(url(failed, "changelist"), said)
    assert asked.status_code == 302
    page = client.get(asked["Location"])
    assert page.context["preview"].count == 2, "only the failed ones of one's own operator"
    assert (fresh(failed).status, fresh(others[0]).status) == ("ERROR_MANUAL", "ERROR_MANUAL")
    done = press(client, asked["Location"], reason="all open again")
    assert done.status_code == 302
    assert (fresh(failed).status, fresh(others[0]).status) == ("PROCESSING", "PROCESSING")
    assert LogEntry.objects.filter(change_message="Retry; reason: all open again").count() == 2
    again = client.post(asked["Location"], {"reason": "x", "ticket": "other"}, follow=True)
    assert "possible for none of them" in text(again)


def test_a_bulk_operation_is_offered_to_those_who_may(acme):
    finance = signed_in(acme.staff["finance"]).get(url(Payout, "changelist"))
    assert "retry" in dict(finance.context["action_form"].fields["action"].choices)
    support = signed_in(acme.staff["support"]).get(url(Payout, "changelist"))
    assert support.context["action_form"] is None


def test_resuming_tries_every_failed_payout_again(acme, failed):
    for one in Payout.objects.filter(subject=acme.running.subject).exclude(pk=failed.pk):
        assert one.status == "PROCESSING"
    world.pay(acme.running)
    assert status(acme.running) == "FAILED"
    client = signed_in(acme.staff["finance"])
    assert "payouts need a person" in text(client.get(change(acme.running)))
    press(client, operation(acme.running, "resume"), reason="looked into it")
    assert (status(acme.running), fresh(failed).status) == ("REFUNDING", "PROCESSING")
    world.pay(acme.running)
    assert (status(acme.running), world.escrow(acme.running)) == ("CANCELED", 0)


def test_the_page_of_a_cancelled_tournament_tells_it_all(acme):
    client = signed_in(acme.staff["owner"])
    press(client, operation(acme.running, "cancel"), reason="venue closed")
    world.pay(acme.running)
    page = text(client.get(change(acme.running)))
    told = ["Created", "3 players", "Cancelled: venue closed", "Refunded: everyone has their money back"]
    found = [page.index(one, page.index('id="story"')) for one in told if one != "3 players"]
    assert found == sorted(found)
    assert Tournament.objects.get(pk=acme.running.pk).status == "CANCELED"

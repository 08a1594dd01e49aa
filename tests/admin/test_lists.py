"""Lists: never counted whole, searched by index, and bars that tell how far a job is."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.admin import formats
from apps.core.admin.paging import AHEAD, Glance
from apps.events.models import Fact
from apps.jobs import services as jobs
from apps.jobs.models import Job
from apps.ledger.models import Account, Journal, Payout, Transfer
from apps.operators.models import Player
from apps.tournaments.models import Entry, Tournament
from tests.admin.scenes import AT, STAFF, change, signed_in, text, url
from tests.tournaments import world


def found(client, model, **query) -> list:
    return list(client.get(url(model, "changelist"), query).context["cl"].result_list)


def test_no_list_counts_more_than_a_few_pages(acme):
    client = signed_in(acme.staff["owner"])
    with CaptureQueriesContext(connection) as queries:
        client.get(url(Tournament, "changelist"))
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert len(counts) == 1
    assert f"LIMIT {(1 + AHEAD) * 50 + 1}" in counts[0]


def test_no_filter_counts_its_choices_even_when_asked(acme):
    client = signed_in(acme.staff["owner"])
    with CaptureQueriesContext(connection) as queries:
        page = client.get(url(Payout, "changelist"), {"_facets": "True"})
    assert "Show counts" not in text(page)
    assert not [query["sql"] for query in queries if "FILTER" in query["sql"]]


def test_a_glance_knows_the_end_when_it_is_near_and_says_more_when_it_is_not(acme):
    rows = Player.objects.filter(operator=acme.operator).order_by("-pk")
    number = rows.count()
    near = Glance(rows, number)
    assert (near.count, near.truncated, near.num_pages) == (number, False, 1)
    for name in range(AHEAD + 3):
        Player.objects.create(operator=acme.operator, brand=acme.player.brand, external_id=f"more-{name}")
    far = Glance(Player.objects.order_by("-pk"), 1, page=1)
    assert (far.count, far.truncated, far.window()) == (1 + AHEAD, True, [1, 2, 3])
    assert len(far.page(3).object_list) == 1


def test_pages_beyond_the_end_lead_back(acme):
    client = signed_in(acme.staff["owner"])
    assert client.get(url(Tournament, "changelist"), {"p": "99"}).status_code in {200, 302}
    assert client.get(url(Tournament, "changelist"), {"p": "x"}).status_code == 200


@pytest.mark.parametrize("query", ["upcoming", "ACME UPC", "acme, upcoming!"])
def test_tournaments_are_found_by_how_the_words_of_their_name_begin(acme, query):
    assert found(signed_in(acme.staff["owner"]), Tournament, q=query) == [acme.upcoming]


def test_tournaments_are_found_by_number_and_external_id_exactly(acme):
    client = signed_in(acme.staff["owner"])
    assert found(client, Tournament, q=str(acme.running.pk)) == [acme.running]
    named = world.make(acme.operator, name="Other", external_id="ext 4711")
    assert found(client, Tournament, q="ext 4711") == [named]


@pytest.mark.parametrize("query", ["%", "'", "\\", "&|!:*", "\x00", "9" * 30, "(", "a" * 500, "😀"])
def test_no_search_breaks_a_list(acme, query):
    client = signed_in(acme.staff["owner"])
    for model in (Tournament, Entry, Player, Payout, Journal, Fact, Transfer, Account, Job):
        assert client.get(url(model, "changelist"), {"q": query}).status_code == 200, model


def test_players_entries_payouts_and_transfers_are_found_by_a_players_user_id_or_name(acme):
    client = signed_in(acme.staff["support"])
    for query in ("ann", "ANN"):
        assert found(client, Player, q=query) == [acme.player]
    assert {entry.player for entry in found(client, Entry, q="ann")} == {acme.player}
    assert {payout.player for payout in found(client, Payout, q="ann")} == {acme.player}
    assert [transfer.reference for transfer in found(client, Transfer, q="ann")] == ["acme-1"]


def test_payouts_are_filtered_by_state_purpose_and_tournament(acme):
    client = signed_in(acme.staff["finance"])
    waiting = found(client, Payout, status__exact="WAITING_APPROVAL")
    assert {payout.subject for payout in waiting} == {acme.waiting.subject}
    assert len(waiting) == 3
    assert {payout.purpose for payout in found(client, Payout, purpose__exact="FEE")} == {"FEE"}
    closed = found(client, Payout, tournament=acme.closed.pk)
    assert {payout.subject for payout in closed} == {acme.closed.subject}
    assert found(client, Payout, status__exact="ERROR_MANUAL") == []


def test_facts_are_filtered_by_type_its_beginning_and_subject(acme):
    client = signed_in(acme.staff["auditor"])
    assert {fact.type for fact in found(client, Fact, type="tournament.started")} == {"tournament.started"}
    assert {fact.type.split(".")[0] for fact in found(client, Fact, type="player.*")} == {"player"}
    about = found(client, Fact, subject=acme.upcoming.subject)
    assert [fact.type for fact in about] == [*["player.registered"] * 3, "tournament.created"]


def test_a_day_is_filtered_with_its_whole_length(acme):
    client = signed_in(acme.staff["owner"])
    start = acme.upcoming.starts_at.date().isoformat()
    days = {"starts_at_from": start, "starts_at_to": start}
    assert acme.upcoming in found(client, Tournament, **days)
    assert found(client, Tournament, starts_at_from="2050-01-01") == []
    assert client.get(url(Tournament, "changelist"), {"starts_at_from": "rubbish"}).status_code == 200


# --- jobs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def job(acme) -> Job:
    return jobs.ask(
        operator_id=acme.operator.pk, kind="test", key="test:1", subject="", title="Count", total=40, actor=STAFF, at=AT
    )


def progress(client, job: Job):
    return client.get(reverse("admin:jobs_job_progress", args=[job.pk]))


def test_a_bar_is_told_how_far_the_job_is_and_when_it_has_ended(acme, job):
    client = signed_in(acme.staff["auditor"])
    assert progress(client, job).json() == {
        "status": "QUEUED", "percent": 0, "text": "0 of 40", "ended": False, "failed": False,
    }  # fmt: skip
    jobs.report(acme.operator.pk, "test:1", done=10, total=40, at=AT)
    assert progress(client, job).json()["percent"] == 25
    jobs.report(acme.operator.pk, "test:1", done=40, total=40, at=AT, finished=True)
    assert progress(client, job).json() == {
        "status": "SUCCEEDED", "percent": 100, "text": "40 of 40", "ended": True, "failed": False,
    }  # fmt: skip


def test_only_a_job_that_goes_on_is_asked_about(acme, job):
    client = signed_in(acme.staff["owner"])
    address = reverse("admin:jobs_job_progress", args=[job.pk])
    assert f'data-poll="{address}"' in text(client.get(change(job)))
    jobs.fail(acme.operator.pk, "test:1", error="Redis is away.", at=AT)
    page = text(client.get(change(job)))
    assert "data-poll" not in page
    assert "Redis is away." in page


def test_another_operators_job_tells_nothing(acme, nordic, job):
    assert progress(signed_in(nordic.staff["owner"]), job).status_code == 404
    assert progress(signed_in(acme.staff["owner"]), job).status_code == 200


# --- words ------------------------------------------------------------------------------------------------------------

AMOUNTS = [
    (0, 2, "0.00"),
    (1250, 2, "12.50"),
    (-5, 2, "−0.05"),
    (123_456_789, 2, "1,234,567.89"),
    (7, 0, "7"),
    (10**18, 18, "1"),
    (15 * 10**17, 18, "1.5"),
    (1, 18, "0.000000000000000001"),
    (10**37 + 1, 2, "100,000,000,000,000,000,000,000,000,000,000,000.01"),
]


@pytest.mark.parametrize("units, scale, written", AMOUNTS)
def test_amounts_are_written_exactly(units, scale, written):
    assert formats.amount(units, scale) == written


def test_what_people_typed_never_becomes_markup(acme):
    nasty = world.make(acme.operator, name="<script>alert(1)</script>")
    world.enter(nasty, "<b>eve</b>")
    client = signed_in(acme.staff["owner"])
    lists = [url(model, "changelist") for model in (Tournament, Entry, Fact)]
    for page in (change(nasty), reverse("admin:index"), *lists):
        shown = text(client.get(page))
        assert "<script>alert" not in shown
        assert "<b>eve" not in shown.lower()

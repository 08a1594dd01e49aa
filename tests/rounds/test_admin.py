"""What staff see and do about channels and the health of intake."""

import json
import re
from datetime import timedelta

import pytest

from apps.core import clock, crypto
from apps.events.models import Fact
from apps.rounds.models import Channel, IntakeMinute, PendingRound, SetAsideRound
from apps.rounds.services import counting
from apps.rounds.services.scoring import aside
from tests import factories
from tests.admin.scenes import change, fresh, operation, press, signed_in, text, url
from tests.receivers import Receiver, Reply
from tests.rounds.world import Integration, a_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Integration:
    return Integration()


@pytest.fixture
def manager(acme):
    return signed_in(factories.staff(acme.operator, "manager"))


def add(client, kind, **said):
    return press(client, url(Channel, "add") + f"?kind={kind}", integration="acme", **said)


def test_the_kind_is_asked_first_and_each_has_its_own_fields(manager):
    page = text(manager.get(url(Channel, "add")))
    assert [kind in page for kind in ("?kind=RABBITMQ", "?kind=KAFKA", "?kind=PULL")] == [True] * 3
    fields = {
        kind: manager.get(url(Channel, "add") + f"?kind={kind}").context["form"].fields.keys()
        for kind in ("RABBITMQ", "KAFKA", "PULL")
    }
    assert {"host", "dead_queue", "prefetch"} <= fields["RABBITMQ"]
    assert {"servers", "group", "dead_topic"} <= fields["KAFKA"]
    assert {"url", "items", "following"} <= fields["PULL"]


def test_a_channel_is_added_with_its_password_sealed_and_never_shown(acme, manager):
    answer = add(
        manager, "RABBITMQ", name="acme-mq", host="mq.example", password="hush", mapping='roundId = id\nroundType="X"'
    )
    made = Channel.objects.get()
    assert answer["Location"] == change(made)
    assert (made.name, made.kind, made.operator, made.integration) == ("acme-mq", "RABBITMQ", acme.operator, "acme")
    assert (made.configuration["host"], made.configuration["prefetch"], made.configuration["tls"]) == (
        "mq.example", 200, True,
    )  # fmt: skip
    assert made.mapping == {"roundId": "id", "roundType": '"X"'}
    assert crypto.decrypt(made.sealed_secret) == "hush"
    page = text(manager.get(change(made)))
    assert "stored encrypted" in page
    assert "hush" not in page
    assert "hush" not in text(manager.get(url(Channel, "history", made.pk)))


def test_an_edit_keeps_the_password_unless_another_is_typed_and_tells_what_changed(manager):
    add(manager, "KAFKA", name="acme-kafka", servers="k1.example:9093", password="hush")
    made = Channel.objects.get()
    press(manager, operation(made, "edit"), topic="other.rounds")
    changed = fresh(made)
    assert (changed.configuration["topic"], changed.changed_at > made.changed_at) == ("other.rounds", True)
    assert crypto.decrypt(changed.sealed_secret) == "hush"
    press(manager, operation(made, "edit"), password="new")
    assert crypto.decrypt(fresh(made).sealed_secret) == "new"
    assert "other.rounds" in text(manager.get(change(made)))


@pytest.mark.parametrize(
    "kind, said, words",
    [
        ("PULL", {"url": "file:///etc/passwd"}, "Expected https://"),
        ("KAFKA", {"servers": "nowhere"}, "servers"),
        ("RABBITMQ", {"host": "mq.example", "mapping": "colour = x"}, "colour is not one of"),
        ("RABBITMQ", {"host": "mq.example", "mapping": "roundId"}, "One field a line"),
        ("RABBITMQ", {"host": "mq.example", "name": "No Good"}, "valid value"),
    ],
)
def test_what_can_not_work_is_refused_with_the_reason(manager, kind, said, words):
    answer = add(manager, kind, **({"name": "x"} | said))
    assert answer.status_code == 200
    assert words in text(answer)
    assert not Channel.objects.exists()


def test_a_name_is_taken_only_once(manager):
    add(manager, "KAFKA", name="same", servers="k1.example:9093")
    assert "Another channel has this name." in text(add(manager, "KAFKA", name="same", servers="k1.example:9093"))


def test_check_tells_how_the_other_side_answers(manager, settings):
    settings.EGRESS_ALLOW_LOOPBACK = True
    with Receiver(lambda *_: Reply(200, {}, json.dumps([a_round()]).encode())) as server:
        add(manager, "PULL", name="pulled", url=server.url)
        made = Channel.objects.get()
        page = manager.post(operation(made, "check"), {"ticket": "t-1"}, follow=True)
        assert "It answers. 1 items after cursor (none)." in text(page)
    assert fresh(made).taken == 0


def test_a_channel_is_switched_off_with_a_reason_and_on_again(manager):
    add(manager, "KAFKA", name="k", servers="k1.example:9093")
    made = Channel.objects.get()
    press(manager, operation(made, "disable"), reason="The client moves house")
    assert not fresh(made).enabled
    assert "The client moves house" in text(manager.get(change(made)))
    press(manager, operation(made, "enable"))
    assert fresh(made).enabled


def test_only_who_runs_the_play_sets_channels_up(acme, manager):
    add(manager, "KAFKA", name="k", servers="k1.example:9093")
    made = Channel.objects.get()
    for role in ("finance", "support", "auditor"):
        client = signed_in(factories.staff(acme.operator, role))
        assert client.get(change(made)).status_code == 200
        assert client.get(operation(made, "edit")).status_code == 403
        assert client.get(url(Channel, "add")).status_code == 403


def test_the_health_of_intake_shows_what_came_in_and_what_waits_and_only_ones_own(acme, manager, monkeypatch):
    monkeypatch.setattr(counting._Counts, "kept", {})
    other = Integration(name="nordic")
    for one, rounds in ((acme, 120), (other, 777)):
        counting.count(one.operator.pk, one.name, rounds=rounds, fresh=100, at=clock.now() - timedelta(minutes=1))
        counting.count(one.operator.pk, one.name, refused=1, at=clock.now() - timedelta(minutes=5))
        one.batch([a_round()])
    counting.write_down()
    assert IntakeMinute.objects.count() == 6
    page = manager.get(url(IntakeMinute, "changelist"))
    numbers = dict(page.context["numbers"])
    assert numbers["Rounds/s in the last full minute"] == "2.0"
    assert (numbers["Rounds"], numbers["Calls and messages"], numbers["Refused"]) == ("121", "3", "1")
    assert [row[1] for row in page.context["lag_rows"]] == ["1"]
    said = re.sub(r"<[^>]+>", "", text(page))
    assert "nordic" not in said
    assert json.loads(page.context["rate"].data)["datasets"][0]["label"] == "acme"
    for period in ("day", "week", "nonsense"):
        assert manager.get(url(IntakeMinute, "changelist"), {"period": period}).status_code == 200
    PendingRound.objects.all().delete()
    assert "Nothing waits" in text(manager.get(url(IntakeMinute, "changelist")))


def test_what_was_set_aside_is_told_on_the_page_of_health_and_put_back_from_its_own(acme, manager):
    other = Integration(name="nordic")
    for one in (acme, other):
        one.batch([a_round(playerId="ann")])
        pending = PendingRound.objects.get(operator=one.operator)
        aside.set_round_aside(pending, ValueError(f"bad for {one.name}"), at=clock.now())
    assert not PendingRound.objects.exists()
    page = manager.get(url(IntakeMinute, "changelist"))
    assert [(row[0], row[4]) for row in page.context["aside_rows"]] == [
        (str(acme.operator), "ValueError: bad for acme")
    ]
    assert re.sub(r"<[^>]+>", "", dict(page.context["numbers"])["Set aside"]) == "1"
    held = SetAsideRound.objects.get(operator=acme.operator)
    listed = text(manager.get(url(SetAsideRound, "changelist"), {"released_at__isnull": "True"}))
    assert "ann" in listed
    assert "bad for nordic" not in listed
    assert "2.5 EUR" in text(manager.get(change(held)))
    for role in ("finance", "support", "auditor"):
        client = signed_in(factories.staff(acme.operator, role))
        assert client.get(operation(held, "put-back")).status_code == 403
    press(manager, operation(held, "put-back"))
    assert fresh(held).released_at is not None
    assert PendingRound.objects.get().number == held.number
    assert Fact.objects.get(type="round.put_back").actor.startswith("staff:")
    assert "Put back" in text(manager.get(url(SetAsideRound, "history", held.pk)))
    assert "Set aside" not in [item["operation"].label for item in manager.get(change(held)).context["operations"]]
    assert manager.get(url(IntakeMinute, "changelist")).context["aside_rows"] == []
    assert manager.get(url(SetAsideRound, "changelist"), {"q": "9" * 40}).status_code == 200

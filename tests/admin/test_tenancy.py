"""Another operator's rows are as good as missing: not listed, not found, not offered, not changed."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model

from apps.events.models import Fact
from apps.ledger.models import Journal
from apps.operators.models import Membership, Role
from tests.admin.scenes import MODELS, ROLES, change, operation, signed_in, text, url

TENANTS = [model for model in MODELS if model is not get_user_model()]
NAMES = [model._meta.label for model in TENANTS]


@pytest.mark.parametrize("model", TENANTS, ids=NAMES)
def test_a_list_shows_the_rows_of_ones_own_operator_only(model, acme, nordic):
    for role in ROLES:
        page = signed_in(acme.staff[role]).get(url(model, "changelist"))
        shown = {row.pk for row in page.context["cl"].result_list}
        assert shown <= {row.pk for row in acme.rows(model)}
        assert shown, "nothing of one's own is shown"
        assert not shown & {row.pk for row in nordic.rows(model)}


@pytest.mark.parametrize("model", TENANTS, ids=NAMES)
def test_a_row_of_another_operator_answers_as_a_missing_one_does(model, acme, nordic):
    client = signed_in(acme.staff["owner"])
    theirs = nordic.rows(model).first()
    missing = 2**40
    for page in ("change", "history", "delete"):
        found, nothing = client.get(url(model, page, theirs.pk)), client.get(url(model, page, missing))
        assert (found.status_code, found.get("Location")) == (nothing.status_code, nothing.get("Location")), page
        assert found.status_code in {302, 403}, page
        posted = client.post(url(model, page, theirs.pk), {"name": "mine now", "post": "yes"})
        assert posted.status_code in {302, 403}, page


@pytest.mark.parametrize("model", TENANTS, ids=NAMES)
def test_no_operation_reaches_a_row_of_another_operator(model, acme, nordic):
    client = signed_in(acme.staff["owner"])
    theirs = nordic.rows(model).first()
    before = (Fact.objects.count(), Journal.objects.count(), LogEntry.objects.count())
    for one in admin.site._registry[model].all_operations():
        for answer in (
            client.get(operation(theirs, one.name)),
            client.post(operation(theirs, one.name), {"reason": "x"}),
        ):
            assert answer.status_code == 302
            assert str(theirs.pk) not in answer["Location"]
        if one.bulk:
            bulk = url(model, "bulk", one.name) + f"?ids={theirs.pk}"
            assert client.get(bulk).status_code == 302
            assert client.post(bulk, {"reason": "x", "ticket": "t"}).status_code == 302
    assert (Fact.objects.count(), Journal.objects.count(), LogEntry.objects.count()) == before


@pytest.mark.parametrize("model", TENANTS, ids=NAMES)
def test_filters_offer_nothing_of_another_operator(model, acme, nordic):
    page = text(signed_in(acme.staff["owner"]).get(url(model, "changelist")))
    assert "nordic" not in page
    assert nordic.operator.slug not in page


def test_filtering_or_searching_for_another_operators_rows_shows_none_of_them(acme, nordic):
    client = signed_in(acme.staff["owner"])
    page = client.get(url(acme.running, "changelist"), {"operator": nordic.operator.pk})
    assert not {row.pk for row in page.context["cl"].result_list} & {row.pk for row in nordic.rows(type(acme.running))}
    search = client.get(url(acme.running, "changelist"), {"q": "nordic"})
    assert list(search.context["cl"].result_list) == []


def test_who_belongs_to_two_operators_sees_both_and_may_in_each_what_the_role_there_allows(acme, nordic):
    user = acme.staff["owner"]
    Membership.objects.create(user=user, operator=nordic.operator, role=Role.AUDITOR)
    client = signed_in(user)
    shown = {row.operator_id for row in client.get(url(acme.running, "changelist")).context["cl"].result_list}
    assert shown == {acme.operator.pk, nordic.operator.pk}
    assert client.get(operation(acme.running, "cancel")).status_code == 200
    assert client.get(operation(nordic.running, "cancel")).status_code == 403
    assert "Cancel and refund" not in text(client.get(change(nordic.running)))
    assert client.get(operation(acme.operator, "preferences")).status_code == 200
    assert client.get(operation(nordic.operator, "preferences")).status_code == 403


def test_forms_offer_only_operators_where_the_person_may(acme, nordic):
    user = acme.staff["owner"]
    Membership.objects.create(user=user, operator=nordic.operator, role=Role.AUDITOR)
    form = signed_in(user).get(url(acme.key.credential, "add")).context["form"]
    assert list(form.fields["operator"].queryset) == [acme.operator]
    answer = signed_in(user).post(
        url(acme.key.credential, "add"),
        {"operator": nordic.operator.pk, "kind": "OPERATOR", "name": "stolen", "ticket": "t1"},
    )
    assert "Select a valid choice" in text(answer)


def test_another_operators_player_page_does_not_leak_through_contributed_sections(acme, nordic):
    page = text(signed_in(acme.staff["owner"]).get(change(acme.player)))
    assert "acme running" in page
    assert "nordic" not in page


def test_a_login_without_membership_sees_no_rows_at_all(acme, django_user_model):
    client = signed_in(django_user_model.objects.create_user("nobody@podium.example", is_staff=True))
    for model in TENANTS:
        assert client.get(url(model, "changelist")).status_code == 403
        assert client.get(change(acme.rows(model).first())).status_code in {302, 403}

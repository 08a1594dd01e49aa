"""Every page of the registry opens for whoever may see it, with few queries."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.core.admin import TenantAdmin
from config.addresses import REPOSITORY
from tests.admin.scenes import MODELS, ROLES, change, operation, signed_in, text, url
from tests.factories import UserFactory

MOST_QUERIES = 15
# Nine panels, two each at most, whatever they show.
FIRST_PAGE_QUERIES = 20
IMPORT = re.compile(r"^\s*(from|import) unfold", re.MULTILINE)
# Logins belong to the platform; no role sees them.
PLATFORM = {get_user_model()}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_page_stands_on_the_tenant_filter(model):
    assert isinstance(admin.site._registry[model], TenantAdmin)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_page_of_a_model_opens_for_every_role_with_few_queries(model, acme, django_assert_max_num_queries):
    row = acme.rows(model).first()
    assert row is not None, "the scene has no row of this model"
    pages = [url(model, "changelist"), url(model, "changelist") + "?q=a", change(row), url(model, "history", row.pk)]
    for role, user in people(acme).items():
        client = signed_in(user)
        for page in pages:
            with django_assert_max_num_queries(MOST_QUERIES):
                answer = client.get(page)
            if role == "administrator" or model not in PLATFORM:
                assert answer.status_code == 200, (role, page)
            else:
                assert answer.status_code in {302, 403}, (role, page)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_form_for_a_new_row_opens_for_exactly_those_who_may_add_one(model, acme, django_assert_max_num_queries):
    site = admin.site._registry[model]
    usual = f"{model._meta.app_label}.add_{model._meta.model_name}"
    permission = site.creation.permission if site.creation else usual
    for role, user in people(acme).items():
        client = signed_in(user)
        may = user.has_perm(permission) and (site.creation is not None or site.addable)
        with django_assert_max_num_queries(MOST_QUERIES):
            answer = client.get(url(model, "add"))
        assert answer.status_code == (200 if may else 403), role


def people(scene):
    return scene.staff | {"administrator": UserFactory(is_superuser=True)}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_filter_view_and_order_of_a_list_answers(model, acme):
    client = signed_in(UserFactory(is_superuser=True))
    site = admin.site._registry[model]
    page = client.get(url(model, "changelist"))
    queries = [query for _, query in site.views] + [
        {"o": str(column)} for column in range(1, len(page.context["cl"].list_display) + 1)
    ]
    for spec in page.context["cl"].filter_specs:
        queries += [{name: "1"} for name in spec.expected_parameters()]
    for query in queries:
        answer = client.get(url(model, "changelist"), query)
        assert answer.status_code in {200, 302}, query


def test_the_theme_is_imported_in_one_place():
    sources = {path for folder in ("apps", "config") for path in (REPOSITORY / folder).rglob("*.py")}
    using = {
        path.relative_to(REPOSITORY).as_posix()
        for path in sources
        if re.search(r"(from|import) unfold", path.read_text())
    }
    assert using == {"apps/core/admin/theme.py"}


def test_a_refusal_is_a_page_for_people(acme):
    refused = signed_in(acme.staff["auditor"]).get(operation(acme.running, "cancel"))
    assert refused.status_code == 403
    assert "Your role does not allow this." in text(refused)


def test_the_first_page_opens_for_every_role_with_few_queries(acme, django_assert_max_num_queries):
    for role in ROLES:
        client = signed_in(acme.staff[role])
        with django_assert_max_num_queries(FIRST_PAGE_QUERIES):
            page = text(client.get(reverse("admin:index")))
        assert "acme running" in page
        assert "Waiting for approval" in page


def test_a_person_without_a_role_is_told_so(db):
    page = signed_in(UserFactory()).get(reverse("admin:index"))
    assert "Nobody has given you a role" in text(page)


def test_the_login_page_is_podiums_own(client, db):
    page = text(client.get(reverse("admin:login")))
    assert "Podium" in page
    assert "podium/admin.css" in page
    assert "http://" not in page.replace("http://testserver", "").replace("http://www.w3.org", "")


def test_no_page_asks_anything_of_another_host(acme):
    client = signed_in(acme.staff["owner"])
    for page in (reverse("admin:index"), change(acme.running), url(acme.running, "changelist")):
        assert 'src="http' not in text(client.get(page))
        assert 'rel="stylesheet" href="http' not in text(client.get(page))

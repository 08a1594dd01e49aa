"""`create_operator` and `create_staff`."""

import json
import re

import pytest
from django.core.management import CommandError, call_command

from apps.ledger.models import Asset
from apps.operators.models import Brand, Credential, Game, Membership, Operator, User
from apps.operators.scopes import EVERY_SCOPE
from tests.factories import Api, OperatorFactory

pytestmark = pytest.mark.django_db


def run(capsys, *args):
    call_command(*args)
    return capsys.readouterr()


def test_an_operator_is_printed_as_one_json_object_and_nothing_else(capsys, settings):
    settings.PUBLIC_URL = "https://podium.example"
    output = run(capsys, "create_operator", "Acme", "--json")
    printed = json.loads(output.out)
    operator = Operator.objects.get()
    application = Credential.objects.get(kind="APPLICATION")
    key = r"[a-z0-9]{43}"
    shape = {
        "operator": {"id": operator.public_id, "slug": "acme", "name": "Acme", "currency": "USD"},
        "operatorKey": re.compile(f"sk_live_{key}"),
        "internalKey": re.compile(f"internal_{key}"),
        "integration": {"id": "acme", "apiKey": re.compile(key)},
        "game": {"gameId": "acme", "apiKey": re.compile("[0-9a-f]{32}"), "secret": re.compile("[0-9a-f]{64}")},
        "matchClient": {
            "okletsplay_url": "https://podium.example",
            "authentication": {
                "client_id": "acme",
                "client_secret": re.compile("[0-9a-f-]{36}"),
                "public_key_url": "https://podium.example/auth/realms/acme",
                "token_url": "https://podium.example/auth/realms/acme/protocol/openid-connect/token",
            },
        },
        "application": {"appId": application.pk, "secretKey": re.compile(key)},
    }
    assert_shape(printed, shape)
    assert re.fullmatch(r"op_[a-z0-9]{16}", operator.public_id)
    assert output.err == ""
    assert output.out.count("\n") == 1


def assert_shape(found, wanted):
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        for name, inner in wanted.items():
            assert_shape(found[name], inner)
    elif isinstance(wanted, re.Pattern):
        assert wanted.fullmatch(found)
    else:
        assert found == wanted


def test_a_new_operator_can_work_at_once(capsys):
    printed = json.loads(run(capsys, "create_operator", "Acme Games", "--currency", "EUR", "--json").out)
    operator = Operator.objects.get()
    assert (operator.slug, operator.currency) == ("acme-games", "EUR")
    assert list(Brand.objects.values_list("external_id", "name")) == [("acme-games", "Acme Games")]
    assert list(Game.objects.values_list("slug", "enabled")) == [("crash-classic", True)]
    assert dict(Asset.objects.values_list("code", "scale")) == {"USD": 2, "EUR": 2, "UPX": 0, "gamr": 18, "plyr": 18}
    assert Credential.objects.get(kind="OPERATOR").scopes == [str(scope) for scope in EVERY_SCOPE]
    assert list(Credential.objects.values_list("kind", flat=True).order_by("pk")) == [
        "OPERATOR",
        "INTERNAL",
        "INTEGRATION",
        "GAME",
        "MATCH_CLIENT",
        "APPLICATION",
    ]
    assert Api(printed["operatorKey"]).get("/api/settings").status_code == 200


def test_without_json_people_read_it(capsys):
    printed = run(capsys, "create_operator", "Acme", "--slug", "the-acme").out
    first, _, rest = printed.partition("\n")
    assert first == "Operator Acme (the-acme). Keep these; they are shown once."
    assert json.loads(rest)["operator"]["slug"] == "the-acme"


@pytest.mark.parametrize(
    "args, complaint",
    [
        (["Acme", "--slug", "taken"], "There is an operator taken already. Choose another with --slug."),
        (["Taken"], "There is an operator taken already. Choose another with --slug."),
        (["Acme", "--slug", "No Good"], "No usable slug."),
        (["Acme", "--slug", ""], "No usable slug."),
        (["ミラ"], "No usable slug."),
        (["x" * 121, "--slug", "long"], "No usable name."),
        (["Acme", "--currency", "XYZ"], "The currencies are USD, EUR, UPX, gamr, plyr."),
    ],
)
def test_what_can_not_be_is_refused_and_leaves_nothing(args, complaint):
    OperatorFactory(slug="taken")
    with pytest.raises(CommandError) as refused:
        call_command("create_operator", *args, "--json")
    assert str(refused.value) == complaint
    assert (Operator.objects.count(), Credential.objects.count()) == (1, 0)


def test_a_staff_login_gets_a_password_that_is_printed_once(capsys):
    operator = OperatorFactory(slug="acme")
    printed = run(capsys, "create_staff", "Mara@Example.com", "--operator", "acme", "--role", "finance").out
    password = re.search(r"Password \(shown once\): (\S{16})\n", printed)[1]
    assert printed.startswith("mara@example.com is finance of acme.\n")
    user = User.objects.get()
    assert (user.email, user.is_staff, user.is_superuser, user.check_password(password)) == (
        "mara@example.com",
        True,
        False,
        True,
    )
    membership = Membership.objects.get()
    assert (membership.operator, membership.role) == (operator, "finance")
    assert membership.history.get().history_change_reason == "system:create_staff: granted"


def test_a_given_password_is_used_and_not_printed(capsys):
    OperatorFactory(slug="acme")
    args = ["--operator", "acme", "--role", "owner", "--password", "a-long-enough-one"]
    assert "a-long" not in run(capsys, "create_staff", "mara@example.com", *args).out
    assert User.objects.get().check_password("a-long-enough-one")


def test_a_login_may_work_for_several_operators_and_keeps_its_password(capsys):
    for slug in ("one", "two"):
        OperatorFactory(slug=slug)
    run(capsys, "create_staff", "m@example.com", "--operator", "one", "--role", "owner", "--password", "first-password")
    printed = run(
        capsys,
        "create_staff",
        "m@example.com",
        "--operator",
        "two",
        "--role",
        "auditor",
        "--password",
        "other-password",
    ).out
    assert printed.endswith("The login existed; its password is as it was.\n")
    assert User.objects.get().check_password("first-password")
    assert Membership.objects.count() == 2
    with pytest.raises(CommandError, match=r"m@example\.com is owner already"):
        call_command("create_staff", "m@example.com", "--operator", "one", "--role", "auditor")


@pytest.mark.parametrize(
    "args",
    [
        ["m@example.com", "--operator", "nobody", "--role", "owner"],
        ["m@example.com", "--operator", "acme", "--role", "king"],
        ["no address", "--operator", "acme", "--role", "owner"],
        ["m@example.com", "--operator", "acme", "--role", "owner", "--password", "short"],
    ],
)
def test_staff_that_can_not_be_are_refused_and_leave_nothing(args):
    OperatorFactory(slug="acme")
    with pytest.raises(CommandError):
        call_command("create_staff", *args)
    assert (User.objects.count(), Membership.objects.count()) == (0, 0)

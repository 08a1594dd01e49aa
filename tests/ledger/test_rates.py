import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.management import CommandError, call_command

from apps.core.actors import Actor
from apps.core.errors import Invalid
from apps.events.models import Fact
from apps.ledger import tasks
from apps.ledger.models import ExchangeRate
from apps.ledger.services import feeds, rates
from apps.ledger.services.rates import RateUnknown
from tests.factories import OperatorFactory, api
from tests.racing import in_parallel

KEY = Actor("key", "test")
DAY = datetime(2026, 2, 20, tzinfo=UTC)
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

ECB = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
                 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
  <Cube>
    <Cube time='2026-02-20'><Cube currency='USD' rate='1.0813'/><Cube currency='SEK' rate='11.2'/></Cube>
    <Cube time='2026-02-19'><Cube currency='USD' rate='1.0801'/><Cube currency='SEK' rate='11.25'/></Cube>
  </Cube>
</gesmes:Envelope>"""


@contextmanager
def serving(document):
    class Bank(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Bank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/rates.xml"
        server.shutdown()


def put(operator, base, day=DAY, **given):
    return rates.put_rates(operator.pk, base=base, valid_from=day, rates=given, actor=KEY, at=AT)


def rate(operator, base, quote, at=AT):
    return rates.rate_at(operator.pk, base=base, quote=quote, at=at)


def facts(operator):
    return list(Fact.objects.filter(operator=operator, type="exchange_rates.updated").values_list("data", flat=True))


@pytest.mark.django_db
def test_a_rate_holds_from_its_moment_until_the_next_one():
    operator = OperatorFactory()
    put(operator, "EUR", SEK="11.2")
    put(operator, "EUR", DAY + timedelta(days=2), SEK="11.4")
    with pytest.raises(RateUnknown):
        rate(operator, "EUR", "SEK", DAY - timedelta(microseconds=1))
    assert rate(operator, "EUR", "SEK", DAY) == Decimal("11.2")
    assert rate(operator, "EUR", "SEK", DAY + timedelta(days=2, microseconds=-1)) == Decimal("11.2")
    assert rate(operator, "EUR", "SEK", DAY + timedelta(days=2)) == Decimal("11.4")


@pytest.mark.django_db
def test_the_opposite_and_the_cross_of_what_is_known():
    operator = OperatorFactory()
    put(operator, "EUR", SEK="12.5", USD="1.25")
    assert rate(operator, "SEK", "EUR") == Decimal("0.08")
    assert rate(operator, "USD", "SEK") == Decimal(10)
    assert rate(operator, "sek", "usd") == Decimal("0.1")
    assert rate(operator, "SEK", "SEK") == 1
    put(operator, "USD", SEK="9.9")
    assert rate(operator, "USD", "SEK") == Decimal("9.9"), "a pair's own rate goes before a cross"


@pytest.mark.django_db
def test_of_several_ways_round_the_one_with_the_newest_rates_counts():
    operator = OperatorFactory()
    put(operator, "EUR", DAY, SEK=10, USD=1)
    put(operator, "GBP", DAY + timedelta(days=1), SEK=24, USD=2)
    assert rate(operator, "USD", "SEK") == 12


@pytest.mark.django_db
def test_rates_of_another_operator_are_unknown():
    put(OperatorFactory(), "EUR", SEK="11.2")
    with pytest.raises(RateUnknown):
        rate(OperatorFactory(), "EUR", "SEK")


@pytest.mark.django_db
def test_the_same_again_changes_nothing_and_another_rate_is_put_right():
    operator = OperatorFactory()
    assert put(operator, "eur", SEK="11.2", usd=Decimal("1.08")).changed == ("SEK", "USD")
    assert put(operator, "EUR", SEK=Decimal("11.20"), USD="1.08").changed == ()
    assert put(operator, "EUR", SEK="11.3", USD="1.08").changed == ("SEK",)
    assert [fact["rates"] for fact in facts(operator)] == [
        {"SEK": Decimal("11.2"), "USD": Decimal("1.08")},
        {"SEK": Decimal("11.3")},
    ]
    assert ExchangeRate.objects.filter(operator=operator).count() == 2


@pytest.mark.parametrize(
    "base, given",
    [
        ("EUR", {}),
        ("E!", {"SEK": 1}),
        ("EUR", {"SEK": 0}),
        ("EUR", {"SEK": -1}),
        ("EUR", {"SEK": "1e3"}),
        ("EUR", {"SEK": True}),
        ("EUR", {"SEK": 1.5}),
        ("EUR", {"SEK": None}),
        ("EUR", {"SEK": Decimal("NaN")}),
        ("EUR", {"SEK": Decimal("1e-19")}),
        ("EUR", {"SEK": Decimal("1e18")}),
        ("EUR", {"EUR": 1}),
        ("EUR", {"SEK": 1, "sek": 1}),
        ("EUR", {"USD": 1, "S\x00K": 1}),
    ],
)
@pytest.mark.django_db
def test_a_bad_rate_keeps_all_of_them_out(base, given):
    operator = OperatorFactory()
    with pytest.raises(Invalid):
        put(operator, base, **given)
    assert not ExchangeRate.objects.filter(operator=operator).exists()
    assert facts(operator) == []


@pytest.mark.django_db
def test_a_rate_of_the_far_future_is_a_mistake():
    operator = OperatorFactory()
    with pytest.raises(Invalid):
        put(operator, "EUR", AT + timedelta(days=2), SEK=11)


@pytest.mark.django_db(transaction=True)
def test_two_who_put_the_same_rates_at_once_make_one_change():
    operator = OperatorFactory()
    changed = in_parallel(6, lambda: put(operator, "EUR", SEK="11.2", USD="1.08").changed)
    assert sorted(changed) == [()] * 5 + [("SEK", "USD")]
    assert len(facts(operator)) == 1


@pytest.mark.django_db
def test_over_http():
    operator = OperatorFactory()
    client = api(operator)
    body = {"base": "EUR", "date": "2026-02-20", "rates": {"SEK": 11.2, "USD": "1.081300"}}
    answer = client.put("/api/exchange-rates", body)
    assert (answer.status_code, answer.json()) == (
        200,
        {"base": "EUR", "validFrom": "2026-02-20T00:00:00Z", "changed": ["SEK", "USD"]},
    )
    assert client.put("/api/api/exchange-rates/", body).json()["changed"] == []
    shown = client.get("/api/exchange-rates?base=EUR&at=2026-02-21").json()
    assert shown == {
        "base": "EUR",
        "at": "2026-02-21T00:00:00Z",
        "rates": {
            "SEK": {"rate": "11.2", "validFrom": "2026-02-20T00:00:00Z"},
            "USD": {"rate": "1.0813", "validFrom": "2026-02-20T00:00:00Z"},
        },
    }
    assert client.get("/api/exchange-rates?base=EUR&at=2026-02-19").json()["rates"] == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"base": "EUR", "date": "yesterday", "rates": {"SEK": 1}},
        {"base": "EUR", "date": "2026-02-31", "rates": {"SEK": 1}},
        {"base": "EUR", "date": "2026-02-20T00:00:00", "rates": {"SEK": 1}},
        {"base": "EUR", "date": "2026-02-20", "rates": []},
        {"base": "EUR", "date": "2026-02-20", "rates": {"SEK": {}}},
        {"base": "EUR", "date": "2026-02-20", "rates": {"SEK": "9" * 40}},
    ],
)
@pytest.mark.django_db
def test_bad_bodies_are_refused_field_by_field(body):
    operator = OperatorFactory()
    answer = api(operator).put("/api/exchange-rates", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["fields"]
    assert not ExchangeRate.objects.filter(operator=operator).exists()


@pytest.mark.django_db
def test_reading_needs_one_scope_and_writing_another():
    operator = OperatorFactory()
    reader = api(operator, scopes=["wallets.read"])
    assert reader.get("/api/exchange-rates").status_code == 200
    body = {"base": "EUR", "date": "2026-02-20", "rates": {"SEK": 1}}
    assert reader.put("/api/exchange-rates", body).status_code == 403


def test_the_bank_s_xml_is_read_day_by_day():
    first, second = feeds.parse(ECB)
    assert (str(first.day), first.rates) == ("2026-02-19", {"USD": "1.0801", "SEK": "11.25"})
    assert (str(second.day), second.rates) == ("2026-02-20", {"USD": "1.0813", "SEK": "11.2"})


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>moved</html>",
        b"<Cube time='2026-02-30'><Cube currency='USD' rate='1'/></Cube>",
        b"<Cube time='2026-02-20'><Cube money='USD' rate='1'/></Cube>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><Cube time="2026-02-20"><Cube currency="&a;" rate="1"/></Cube>',
    ],
)
def test_what_is_no_list_of_rates_is_refused(document):
    with pytest.raises(feeds.FeedUnreadable):
        feeds.parse(document)


@pytest.mark.django_db
def test_a_file_is_taken_in_for_every_operator_once(tmp_path):
    first, second = OperatorFactory(), OperatorFactory()
    source = tmp_path / "rates.xml"
    source.write_bytes(ECB)
    assert feeds.take_in_everywhere(str(source), actor=KEY, at=AT) == 8
    assert feeds.take_in_everywhere(str(source), actor=KEY, at=AT) == 0
    for operator in (first, second):
        assert rate(operator, "EUR", "USD", DAY) == Decimal("1.0813")
        assert rate(operator, "USD", "SEK", DAY - timedelta(days=1)).quantize(Decimal("0.0001")) == Decimal("10.4157")


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(feeds.FeedUnreadable):
        feeds.read(str(tmp_path / "none.xml"))


@pytest.mark.django_db
def test_a_url_is_read_by_the_guarded_client(settings):
    operator = OperatorFactory()
    with serving(ECB) as url:
        assert feeds.take_in(operator.pk, feeds.parse(feeds.read(url)), actor=KEY, at=AT) == 4
        settings.EGRESS_ALLOW_LOOPBACK = False
        with pytest.raises(feeds.FeedUnreadable):
            feeds.read(url)


@pytest.mark.django_db
def test_the_bell_reads_the_source_that_is_set(settings, tmp_path):
    operator = OperatorFactory()
    tasks.fetch_exchange_rates()
    (tmp_path / "rates.xml").write_bytes(ECB)
    settings.EXCHANGE_RATES_SOURCE = str(tmp_path / "rates.xml")
    tasks.fetch_exchange_rates()
    assert ExchangeRate.objects.filter(operator=operator).count() == 4
    settings.EXCHANGE_RATES_SOURCE = str(tmp_path / "gone.xml")
    tasks.fetch_exchange_rates()


@pytest.mark.django_db
def test_the_command_says_how_many_are_new(tmp_path, capsys):
    operator = OperatorFactory()
    (tmp_path / "rates.xml").write_bytes(ECB)
    call_command("import_exchange_rates", str(tmp_path / "rates.xml"), "--operator", operator.slug)
    assert capsys.readouterr().out == "4 rates are new or changed.\n"
    with pytest.raises(CommandError, match="There is no operator nobody"):
        call_command("import_exchange_rates", str(tmp_path / "rates.xml"), "--operator", "nobody")

import io
import wsgiref.util

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import got_request_exception
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path
from prometheus_client import REGISTRY

from apps.core.express import Door

# Every call looks at the connections that stand, and would close one with a test's transaction on it.
pytestmark = pytest.mark.django_db(transaction=True)


def hello(request, name):
    answer = HttpResponse(f"hello {name}", status=202)
    answer.set_cookie("seen", "1")
    return answer


def crash(request):
    raise RuntimeError


def ask(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return HttpResponse(str(cursor.fetchone()[0]))


def stream(request):
    return StreamingHttpResponse([b"a", b"b"])


urlpatterns = [
    path("machine/hello/<str:name>", hello),
    path("machine/crash", crash),
    path("machine/ask", ask),
    path("machine/stream", stream),
]


@pytest.fixture(autouse=True)
def _machines(settings):
    settings.EXPRESS_PATHS = {"/machine/": __name__}


def call(target, **environ):
    """Ask the door as a web server does; return status, headers and body."""
    environ |= {"PATH_INFO": target, "wsgi.input": io.BytesIO(b"")}
    wsgiref.util.setup_testing_defaults(environ)
    said = []
    body = b"".join(Door(WSGIHandler())(environ, lambda status, headers: said.append((status, headers))))
    ((status, headers),) = said
    return status, dict(headers), body


def test_a_machine_goes_to_its_view_past_everything_for_browsers():
    status, headers, body = call("/machine/hello/acme")
    assert (status, body) == ("202 Accepted", b"hello acme")
    assert headers["Content-Length"] == "10"
    assert headers["X-Request-Id"].startswith("req_")
    assert headers["Set-Cookie"].startswith("seen=1")
    assert "X-Frame-Options" not in headers


def test_its_own_request_id_comes_back():
    assert call("/machine/hello/acme", HTTP_X_REQUEST_ID="mine-1")[1]["X-Request-Id"] == "mine-1"


def test_a_long_address_is_found_as_well():
    assert call(f"/machine/hello/{'x' * 500}")[0] == "202 Accepted"


def test_it_is_counted_with_all_other_requests():
    name = "django_http_requests_before_middlewares_total"
    before = REGISTRY.get_sample_value(name)
    call("/machine/hello/acme")
    assert REGISTRY.get_sample_value(name) == before + 1


def test_a_crash_is_answered_and_told_by_django():
    crashes = []

    def note(**said):
        crashes.append(said["request"].path)

    got_request_exception.connect(note)
    try:
        status, headers, _ = call("/machine/crash")
    finally:
        got_request_exception.disconnect(note)
    assert status == "500 Internal Server Error"
    assert "X-Request-Id" in headers
    assert crashes == ["/machine/crash"]


@pytest.mark.parametrize(("kept_for", "stays"), [(0, False), (60, True)])
def test_connections_are_kept_as_long_as_they_may_be(monkeypatch, settings, kept_for, stays):
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", kept_for)
    monkeypatch.setitem(settings.DATABASES["default"], "CONN_MAX_AGE", kept_for)
    connection.close()
    assert call("/machine/ask")[2] == b"1"
    assert (connection.connection is not None) is stays


def test_streams_are_not_read_ahead():
    _, headers, body = call("/machine/stream")
    assert body == b"ab"
    assert "Content-Length" not in headers


def test_whatever_else_there_is_goes_djangos_way(settings):
    assert call("/machine/nothing")[0] == "404 Not Found"
    assert "X-Frame-Options" in call("/admin/login/", HTTP_HOST="localhost")[1]


def test_where_tls_is_needed_django_sends_the_caller_there(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["*"]
    status, headers, _ = call("/machine/hello/acme")
    assert status == "301 Moved Permanently"
    assert headers["Location"].startswith("https://")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert call("/machine/hello/acme", HTTP_X_FORWARDED_PROTO="https")[0] == "202 Accepted"


def test_whoever_asks_django_itself_takes_the_short_way_too():
    answer = Client().get("/machine/hello/acme")
    assert (answer.status_code, answer.content, answer.get("X-Frame-Options")) == (202, b"hello acme", None)

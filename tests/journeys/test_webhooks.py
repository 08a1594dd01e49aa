"""A person sets up a webhook endpoint, tries it out, and finds what was sent in the log."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect
from standardwebhooks import Webhook

from apps.core import clock
from apps.events.models import Delivery, Endpoint
from apps.events.relay import webhooks
from apps.events.services import numbering
from apps.operators.models import Role
from tests.factories import OperatorFactory, staff
from tests.journeys.test_admin import sidebar, sign_in
from tests.tournaments import world
from tests.workers import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Receiver(ThreadingHTTPServer):
    """Somebody else's server: keeps what it gets, and answers as it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"thank you" if self.server.status == 200 else b"the receiver is on fire")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def relay() -> Iterator[None]:
    """The carrier of webhooks, as the relay runs it."""
    stop = threading.Event()
    thread = threading.Thread(target=webhooks.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join(30)


def test_an_endpoint_is_made_tried_and_found_in_the_log(page, redis, receiver, relay):
    operator = OperatorFactory(name="Acme Casino")
    sign_in(page, staff(operator, Role.MANAGER))
    sidebar(page, "Webhooks")
    page.get_by_role("link", name="Add").first.click()
    page.get_by_label("Address").fill(f"http://127.0.0.1:{receiver.server_port}/hooks")
    page.get_by_label("Description").fill("Casino back end")
    page.get_by_role("button", name="Add endpoint").click()
    secret = page.locator("#secret-signing").inner_text()
    assert secret.startswith("whsec_")
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    assert secret not in page.content()

    page.get_by_role("link", name="Send a test").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The test is on its way")).to_be_visible()
    eventually(lambda: receiver.got)
    headers, body = receiver.got[0]
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"

    eventually(lambda: Delivery.objects.filter(status="DELIVERED").exists())
    sidebar(page, "Deliveries")
    row = page.locator("#result_list tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Delivered")
    expect(row).to_contain_text("Casino back end")
    row.get_by_role("link").first.click()
    page.get_by_text("bytes sent").click()
    expect(page.get_by_text("thank you")).to_be_visible()

    receiver.status = 500
    tournament = world.make(operator, name="Friday Sprint")
    numbering.number_facts(operator.pk)
    eventually(lambda: len(receiver.got) > 1)
    eventually(lambda: Delivery.objects.filter(fact__isnull=False, last_status=500).exists())
    sidebar(page, "Facts")
    page.get_by_role("link", name="tournament.created").click()
    went = page.locator(".pd-section", has_text="Where it went")
    expect(went).to_contain_text("Casino back end")
    expect(went).to_contain_text("Retrying")
    expect(page.locator("main, body").first).to_contain_text(f"tournament {tournament.pk}")

    receiver.status = 200
    went.get_by_role("link", name="Delivery").click()
    page.get_by_role("link", name="Try now").click()
    page.get_by_role("button", name="Try now").click()
    eventually(lambda: Delivery.objects.filter(fact__isnull=False, status="DELIVERED").exists())
    page.reload()
    expect(page.locator(".pd-section", has_text="Attempts")).to_contain_text("500")
    expect(page.locator("#content, main, body").first).to_contain_text("Delivered")
    assert Endpoint.objects.get().last_success_at <= clock.now()

"""Calls out go to public addresses only, to the address that was checked, and never take longer than they may."""

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.core import egress
from apps.core.egress import Failed, Refused, connections, targets
from tests.receivers import Receiver, Reply

FORBIDDEN = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.8.8.8 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8
    192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1
    255.255.255.255 :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1
    100::1 2001::1 2001:20::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1
    168.63.129.16 100.100.100.200 192.0.0.192
""".split()
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"]


@pytest.fixture(autouse=True)
def _no_idle_connections():
    egress.close_idle()
    yield
    egress.close_idle()


@pytest.fixture
def strict(settings):
    """As in production."""
    settings.EGRESS_ALLOW_LOOPBACK = False
    settings.EGRESS_REQUIRE_HTTPS = True
    settings.EGRESS_ALLOWED_NETWORKS = []


@pytest.fixture
def names(monkeypatch):
    """A resolver of our own: name → list of answers, one per question, the last one for ever."""
    known: dict[str, list[list[str]]] = {}
    asked: list[str] = []

    def resolve(host, port, *_, **__):
        asked.append(host)
        answers = known[host]
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in now]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    known["asked"] = asked  # type: ignore[assignment]
    return known


def post(url, **more):
    return egress.send("POST", url, headers={}, body=b"{}", **more)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused(strict, address):
    with pytest.raises(Refused):
        egress.judge(ip_address(address), secure=True)
    with pytest.raises(Refused):
        egress.examine(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_fit_to_call(strict, address):
    egress.judge(ip_address(address), secure=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",  # no TLS
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "//example.com",
        "https://user@example.com/",
        "https://example.com@127.0.0.1/",
        "https://127.0.0.1#@example.com/",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/\r\nHost: x",
        "https://exämple.com/",
        "https://example。com/",
        "https://127.0.0.1%2f@x/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0x7f.0x0.0x0.0x1/",
        "https://0177.0.0.1/",
        "https://0251.0376.0251.0376/",
        "https://2852039166/",
        "https://169.254.43518/",
        "https://①②⑦.⓪.⓪.①/",
        "https://%31%32%37.0.0.1/",
        "https://169.254.169.254./",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[0:0:0:0:0:ffff:169.254.169.254]/",
        "https://[64:ff9b::169.254.169.254]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://[::169.254.169.254]/",
        "https://017700000001/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://0/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://anything.localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://[1.2.3.4]/",
        "https://-bad.com/",
        "https://a..b/",
        "https://example.com:22/",
        "https://example.com:6379/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_a_spelling_that_hides_something_is_refused(strict, url):
    with pytest.raises(Refused):
        egress.examine(url)


@pytest.mark.parametrize("url", ["https://example.com", "https://a_b.example.com:8443/x?y=1#z", "https://8.8.8.8/"])
def test_an_ordinary_address_passes(strict, url):
    assert egress.examine(url).secure


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "127.1", "0"])
def test_a_disguised_address_is_refused_even_where_loopback_is_allowed(host):
    with pytest.raises(Refused, match="disguised"):
        post(f"http://{host}/")


def test_loopback_needs_its_setting(settings):
    with Receiver() as receiver:
        assert post(receiver.url).status == 204
        egress.close_idle()
        settings.EGRESS_ALLOW_LOOPBACK = False
        with pytest.raises(Refused, match="This machine itself"):
            post(receiver.url)
    assert len(receiver.got) == 1


def test_the_setting_for_loopback_opens_nothing_else(settings):
    settings.EGRESS_ALLOW_LOOPBACK = True
    for address in FORBIDDEN:
        if not (ip_address(address).is_loopback or address == "::ffff:127.0.0.1"):
            with pytest.raises(Refused):
                egress.judge(ip_address(address), secure=True)


def test_a_network_may_be_allowed_by_name(settings, strict):
    settings.EGRESS_ALLOWED_NETWORKS = ["10.1.0.0/16", "fd00::/8"]
    egress.judge(ip_address("10.1.2.3"), secure=False)
    egress.judge(ip_address("::ffff:10.1.2.3"), secure=False)
    egress.judge(ip_address("fd12::1"), secure=False)
    with pytest.raises(Refused):
        egress.judge(ip_address("10.2.0.1"), secure=True)
    with pytest.raises(Refused, match="https"):
        egress.judge(ip_address("8.8.8.8"), secure=False)


def test_one_bad_address_among_good_ones_spoils_the_name(names):
    with Receiver() as receiver:
        names["mixed.example"] = [["127.0.0.1", "10.0.0.1"]]
        with pytest.raises(Refused, match=r"10\.0\.0\.1"):
            post(f"http://mixed.example:{receiver.server_port}/")
    assert receiver.got == []


def test_the_address_that_was_checked_is_the_one_that_is_called(names):
    with Receiver() as receiver:
        names["moving.example"] = [["127.0.0.1"], ["169.254.169.254"]]
        url = f"http://moving.example:{receiver.server_port}/"
        assert post(url).status == 204
        assert names["asked"] == ["moving.example"]
        # The connection that is kept goes where it went; a new one asks, and is refused.
        assert post(url).status == 204
        assert (receiver.connections, names["asked"]) == (1, ["moving.example"])
        egress.close_idle()
        with pytest.raises(Refused, match=r"169\.254\.169\.254"):
            post(url)
    assert len(receiver.got) == 2
    assert receiver.got[0].headers["host"] == f"moving.example:{receiver.server_port}"


def test_another_address_is_tried_when_the_first_is_deaf(names):
    with Receiver() as receiver:
        names["two.example"] = [["::1", "127.0.0.1"]]
        assert post(f"http://two.example:{receiver.server_port}/").status == 204


def test_a_name_without_address_is_a_failure(monkeypatch):
    def nobody(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(Failed) as failed:
        post("https://nowhere.example/")
    assert failed.value.kind == "name"


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch):
    answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer.wait(30) and [])
    with pytest.raises(Failed) as failed:
        post("https://slow.example/", timeout=0.05)
    answer.set()
    assert failed.value.kind == "timeout"


def test_what_is_sent_and_answered_arrives_whole(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    with Receiver(lambda *_: Reply(418, {"X-Pot": "Tea"}, b"short and stout")) as receiver:
        answer = egress.send("POST", receiver.url + "/a?b=1", headers={"X-One": "1"}, body=b"\x00\xff")
    assert (answer.status, answer.ok, answer.headers["x-pot"]) == (418, False, "Tea")
    assert (answer.body, answer.truncated) == (b"short and stout", False)
    [got] = receiver.got
    assert (got.path, got.headers["x-one"], got.body) == ("/hooks/a?b=1", "1", b"\x00\xff")


def test_a_redirect_is_an_answer_and_is_not_followed():
    with Receiver() as inside, Receiver(lambda *_: Reply(302, {"Location": inside.url})) as receiver:
        assert post(receiver.url).status == 302
    assert inside.got == []


def test_a_long_answer_is_cut_and_its_connection_is_not_kept():
    with Receiver(lambda *_: Reply(200, {}, b"x" * 100_000)) as receiver:
        answer = post(receiver.url, max_bytes=1000)
        assert (answer.body, answer.truncated) == (b"x" * 1000, True)
        assert post(receiver.url, max_bytes=100_000).truncated is False
        assert receiver.connections == 2
        post(receiver.url, max_bytes=100_000)
        assert receiver.connections == 2


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-B: 2"}, {"X A\r\n": "1"}, {"X-Z": "Zoë\u2603"}])
def test_a_header_that_breaks_out_is_refused(headers):
    with Receiver() as receiver, pytest.raises(Refused, match="can not be sent"):
        egress.send("POST", receiver.url, headers=headers, body=b"")
    assert receiver.got == []


@contextmanager
def raw(talk):
    """A server that does with each connection what `talk` says."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    talk(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        server.shutdown(socket.SHUT_RDWR)


DRIP = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n" + b"X-A: 1\r\n" * 50 + b"\r\n" + b"x" * 100_000


@pytest.mark.parametrize("skip", [0, len(DRIP) - 100_000], ids=["head", "body"])
def test_bytes_that_drip_do_not_buy_time(skip):
    stop = threading.Event()

    def drip(connection):
        connection.recv(4096)
        connection.sendall(DRIP[:skip])
        for at in range(skip, len(DRIP)):
            if stop.wait(0.01):
                return
            connection.sendall(DRIP[at : at + 1])

    with raw(drip) as url:
        with pytest.raises(Failed) as failed:
            post(url, timeout=0.2)
        stop.set()
    assert failed.value.kind == "timeout"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", "connection"),
        (b"nonsense\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf", "protocol"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "protocol"),
    ],
)
def test_an_answer_that_is_none_is_a_failure(said, kind):
    def say(connection):
        connection.recv(4096)
        connection.sendall(said)

    with raw(say) as url, pytest.raises(Failed) as failed:
        post(url)
    assert failed.value.kind == kind


def test_a_port_where_nobody_listens_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    with pytest.raises(Failed) as failed:
        post(url)
    assert failed.value.kind == "connection"


def test_a_connection_that_the_other_side_closed_is_not_used_again():
    with Receiver(lambda *_: Reply(204)) as receiver:
        post(receiver.url)
        [[kept]] = connections.pool._idle.values()
        kept.sock.shutdown(socket.SHUT_RD)
        assert post(receiver.url).status == 204
        assert receiver.connections == 2


def test_threads_share_the_pool_without_sharing_a_connection():
    with Receiver(lambda got, _: Reply(200, {}, got.body)) as receiver:
        wrong = []

        def work(n):
            for turn in range(20):
                body = f"{n}-{turn}".encode()
                if egress.send("POST", receiver.url, headers={}, body=body).body != body:
                    wrong.append(body)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert receiver.connections <= 8


@pytest.fixture(scope="module")
def authority():
    """An authority nobody knows, and its certificate for receiver.example."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver.example")])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("receiver.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), key.private_bytes(pem, *plain)


@pytest.fixture
def secure(authority, tmp_path):
    """A receiver behind TLS."""
    certificate, key = authority
    (tmp_path / "both.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with Receiver() as receiver:
        receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
        yield receiver


@pytest.fixture
def trusted(authority, monkeypatch):
    """Trust the authority."""
    connections._tls.cache_clear()
    connections._tls().load_verify_locations(cadata=authority[0].decode())
    yield
    connections._tls.cache_clear()


def test_tls_proves_the_name_though_the_address_is_called(secure, trusted, names):
    names["receiver.example"] = names["other.example"] = [["127.0.0.1"]]
    assert post(f"https://receiver.example:{secure.server_port}/").status == 204
    assert post(f"https://receiver.example:{secure.server_port}/").status == 204
    assert secure.connections == 1
    with pytest.raises(Failed) as failed:
        post(f"https://other.example:{secure.server_port}/")
    assert failed.value.kind == "tls"
    assert len(secure.got) == 2


def test_tls_needs_an_authority_that_is_known(secure, names):
    names["receiver.example"] = [["127.0.0.1"]]
    with pytest.raises(Failed) as failed:
        post(f"https://receiver.example:{secure.server_port}/")
    assert failed.value.kind == "tls"
    assert secure.got == []


def test_tls_has_its_deadline_too(names):
    silent = threading.Event()
    with raw(lambda _: silent.wait(30)) as url:
        with pytest.raises(Failed) as failed:
            post(url.replace("http", "https"), timeout=0.1)
        silent.set()
    assert failed.value.kind == "timeout"


def test_the_memory_for_addresses_keeps_no_permission(settings):
    url = "http://127.0.0.1:8000/"
    settings.EGRESS_ALLOW_LOOPBACK = True
    targets.examine(url)
    settings.EGRESS_ALLOW_LOOPBACK = False
    with pytest.raises(Refused):
        targets.examine(url)

"""rooms.md 2: the vectors of the contract, and JavaScript's way of writing a body again."""

import json
import shutil
import subprocess

import pytest

from apps.rooms.api import signatures

SECRET, TIMESTAMP = "rooms-demo-secret-0001", "1735689600000"
BODY = '{"sessionJwts":["jwt-a","jwt-b"],"tokens":["gamr","gamr"],"amounts":[5,5],"sync":true}'
SPACED = '{"sessionJwts": ["jwt-a", "jwt-b"], "tokens": ["gamr", "gamr"], "amounts": [5, 5], "sync": true}'
VECTORS = [
    (BODY, "f1a5986530a87bd7bac2303fafba01d4845d157f3fb8a5fcb760cb27686ffad3"),
    ("{}", "5ff91c29c6fde3d055cf7658b729eff587ae886e7211ba2be23b20ee350b0fff"),
    ("null", "d09d43282150abdde91f50644730991aae6d35d2b8fdf167cd23b9d98d9b6c16"),
    ("", "a23299b1126ee1a7fe3cee67e1cd30304046e7a9242a75f9beb0148b2b148ff1"),
    ('{"roomId":"7","note":"Grüße ✓"}', "232c39111c04deb8ec796ccea2eb2317ab193908d22c9a6839a4d8a220c160e2"),
    (SPACED, "8164e3e8ebc7fb33d39bf25823659ec781e9e482544eec03b071af91ee173fd5"),
]


@pytest.mark.parametrize("payload, signature", VECTORS)
def test_the_contracts_vectors(payload, signature):
    assert signatures.sign(SECRET, TIMESTAMP, payload.encode()) == signature


@pytest.mark.parametrize(
    "sent, signed, accepted",
    [
        (BODY, BODY, True),
        (SPACED, SPACED, True),
        # The original reads the body and writes it again before it signs.
        (SPACED, BODY, True),
        # A compact signature is no leave to send other values.
        (SPACED.replace("5]", "6]"), BODY, False),
        (BODY, SPACED, False),
        (BODY, "{}", False),
        ("", "{}", True),
        ("", "null", True),
        ("", "", True),
        (" \n", "{}", True),
        ("", "[]", False),
        ("{}", "null", False),
        ("{}", "", False),
        ("{}", "{}", True),
        ("[1.0]", "[1]", True),
        ('{"a":', '{"a":', True),
        ('{"a":', "{}", False),
    ],
)
def test_which_payloads_prove_which_body(sent, signed, accepted):
    signature = signatures.sign(SECRET, TIMESTAMP, signed.encode())
    assert signatures.accepts(SECRET, TIMESTAMP, signature, sent.encode()) is accepted
    assert not signatures.accepts("another secret", TIMESTAMP, signature, sent.encode())
    assert not signatures.accepts(SECRET, "1735689600001", signature, sent.encode())
    assert not signatures.accepts(SECRET, TIMESTAMP, signature.upper(), sent.encode())
    assert not signatures.accepts(SECRET, TIMESTAMP, signature[:-1], sent.encode())


def test_what_is_no_json_is_signed_as_sent_or_as_what_it_means():
    form = {"roomId": "7", "sessionJwts": ["a", "b"]}
    for payload in (b"roomId=7&sessionJwts[]=a&sessionJwts[]=b", b'{"roomId":"7","sessionJwts":["a","b"]}'):
        signature = signatures.sign(SECRET, TIMESTAMP, payload)
        assert signatures.accepts(SECRET, TIMESTAMP, signature, b"roomId=7&sessionJwts[]=a&sessionJwts[]=b", form)


@pytest.mark.parametrize("signature", ["", "ü", "\udcff", "0" * 63, "zz" * 32, "\x00"])
def test_a_strange_signature_is_only_wrong(signature):
    assert not signatures.accepts(SECRET, TIMESTAMP, signature, b"{}")


@pytest.mark.parametrize(
    "timestamp, fresh",
    [
        ("1735689600000", True),
        ("1735689300000", True),
        ("1735689900000", True),
        ("1735689299999", False),
        ("1735689900001", False),
        ("1735689600", False),
        ("NaN", False),
        ("", False),
        ("-1735689600000", False),
        ("1735689600000.0", False),
        ("1.7356896e12", False),
        ("١٧٣٥٦٨٩٦٠٠٠٠٠", False),
        ("9" * 5000, False),
    ],
)
def test_a_timestamp_is_a_number_of_milliseconds_within_five_minutes(timestamp, fresh):
    assert signatures.is_fresh(timestamp, 1735689600000) is fresh


WRITTEN_AGAIN = [
    ('{"b":1,"a":2}', '{"b":1,"a":2}'),
    ('{"b":1,"10":2,"9":3,"a":4,"09":5,"-1":6,"1.5":7}', '{"9":3,"10":2,"b":1,"a":4,"09":5,"-1":6,"1.5":7}'),
    ('{"4294967295":1,"4294967294":2,"0":3}', '{"0":3,"4294967294":2,"4294967295":1}'),
    ('{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'),
    ('{"__proto__":1}', '{"__proto__":1}'),
    ("[1.0, 1e3, -0, -0.0, 0.1, 1.50]", "[1,1000,0,0,0.1,1.5]"),
    (
        "[1e-7, 0.000001, 1e21, 123456789012345678901, 1e20]",
        "[1e-7,0.000001,1e+21,123456789012345680000,100000000000000000000]",
    ),
    ("[5e-324, 1.7976931348623157e308, 1e999, -1e999, 1e-999]", "[5e-324,1.7976931348623157e+308,null,null,0]"),
    ("[0.1e-6, 12345678.9e-15, 9007199254740993, -123.456]", "[1e-7,1.23456789e-8,9007199254740992,-123.456]"),
    (
        '["\\u00fc\\u2028\\u007f\\/", "\\u0001\\b\\f\\n\\r\\t\\"\\\\"]',
        '["ü\u2028\x7f/","\\u0001\\b\\f\\n\\r\\t\\"\\\\"]',
    ),
    ('["\\ud83d\\ude00", "\\ud83d", "\\uDE00x"]', '["😀","\\ud83d","\\ude00x"]'),
    (' { "a" : [ true , false , null , { } , [ ] ] } ', '{"a":[true,false,null,{},[]]}'),
    ('"text"', '"text"'),
    (f"[{'7' * 400}]", "[null]"),
]


@pytest.mark.parametrize("sent, again", WRITTEN_AGAIN)
def test_a_body_is_written_again_as_javascript_does(sent, again):
    assert signatures.canonical(sent.encode()).decode() == again


@pytest.mark.parametrize("sent", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b"[1,]", b"[" * 100_000, b'{"a":01}'])
def test_what_javascript_would_not_parse_has_no_other_spelling(sent):
    assert signatures.canonical(sent) is None


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_node_agrees():
    # Numbers of every size and shape, so that both of ECMAScript's borders are crossed.
    numbers = [
        f"{digits}e{power}"
        for digits in ("1", "-7.25", "123456789.123", "9.999999999999999")
        for power in range(-30, 30)
    ]
    bodies = [sent for sent, _ in WRITTEN_AGAIN] + [f"[{','.join(numbers)}]"]
    script = """
        const bodies = JSON.parse(require('fs').readFileSync(0));
        console.log(JSON.stringify(bodies.map((text) => JSON.stringify(JSON.parse(text)))));
    """
    ran = subprocess.run(["node", "-e", script], input=json.dumps(bodies), capture_output=True, text=True, check=True)
    assert [signatures.canonical(body.encode()).decode() for body in bodies] == json.loads(ran.stdout)

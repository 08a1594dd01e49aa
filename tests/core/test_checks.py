"""Settings that make no sense are refused with a hint."""

import pytest
from django.core import checks


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("ENCRYPTION_KEYS", ["short"], "core.E001"),
        ("PLAYER_TOKEN_ALGORITHM", "none", "core.E002"),
        ("PUBLIC_URL", "podium.example.com", "core.E003"),
        ("GAME_LAUNCH_URL", "https://play.example/", "core.E004"),
        ("GAME_LAUNCH_URL", "https://play.example/{slug}/{player}", "core.E004"),
        ("TRUSTED_PROXIES", -1, "core.E005"),
        ("DATABASE_POOL_SIZE", -1, "core.E006"),
        ("EGRESS_ALLOWED_NETWORKS", ["10.0.0.0/8", "inside"], "core.E008"),
        ("RELAY_THREADS", 1, "core.E010"),
        ("CHAIN_FINALITY_SECONDS", -1.0, "core.E011"),
        ("SIGNING_SECONDS", 0, "core.E011"),
    ],
)
def test_a_bad_setting_is_an_error_with_a_hint(settings, setting, value, expected):
    setattr(settings, setting, value)
    found = [message for message in checks.run_checks() if message.id == expected]
    assert len(found) == 1
    assert found[0].hint


def test_our_own_settings_pass():
    assert [message for message in checks.run_checks() if message.id.startswith("core.")] == []


def test_production_needs_services_of_its_own(settings):
    settings.EMBEDDED_SERVICES = ["postgres", "redis"]
    settings.EGRESS_ALLOW_LOOPBACK = True
    found = {message.id for message in checks.run_checks(include_deployment_checks=True)}
    assert {"core.E007", "core.E009", "core.W001", "core.W002"} <= found

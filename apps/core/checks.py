"""Settings that make no sense together are refused at start, with what to do about it."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's own name

ALGORITHMS = ("EdDSA", "HS256")
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}


@register(Tags.security)
def encryption_keys_are_fernet_keys(**_: Any) -> Iterator[CheckMessage]:
    """A key that can't be used would only be noticed when the first secret is stored."""
    for place, key in enumerate(settings.ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            yield Error(
                f"Entry {place} of ENCRYPTION_KEYS is no Fernet key.",
                hint="A Fernet key is 32 random bytes in URL-safe base64: cryptography.fernet.Fernet.generate_key().",
                id="core.E001",
            )


@register(Tags.security)
def player_tokens_have_a_known_algorithm(**_: Any) -> Iterator[CheckMessage]:
    """Anything else would sign tokens that no game can verify, or none at all."""
    if settings.PLAYER_TOKEN_ALGORITHM not in ALGORITHMS:
        yield Error(
            f"PLAYER_TOKEN_ALGORITHM is {settings.PLAYER_TOKEN_ALGORITHM!r}.",
            hint=f"Set it to one of {', '.join(ALGORITHMS)}.",
            id="core.E002",
        )


@register()
def addresses_are_addresses(**_: Any) -> Iterator[CheckMessage]:
    """PUBLIC_URL and the launch address end up in answers to clients."""
    if urlsplit(settings.PUBLIC_URL).scheme not in {"http", "https"} or not urlsplit(settings.PUBLIC_URL).netloc:
        yield Error(
            f"PUBLIC_URL is {settings.PUBLIC_URL!r}.", hint="Say it whole: https://podium.example.com", id="core.E003"
        )
    if set(re.findall(r"{(.*?)}", settings.GAME_LAUNCH_URL)) != {"slug"}:
        yield Error(
            f"GAME_LAUNCH_URL is {settings.GAME_LAUNCH_URL!r}.",
            hint="It needs {slug}, and no other field: https://play.example/{slug}",
            id="core.E004",
        )


@register()
def proxies_are_counted(**_: Any) -> Iterator[CheckMessage]:
    """A negative count would believe whatever a client claims about its address."""
    if settings.TRUSTED_PROXIES < 0:
        yield Error(
            f"TRUSTED_PROXIES is {settings.TRUSTED_PROXIES}.",
            hint="Set it to the number of reverse proxies in front of Podium, 0 if there is none.",
            id="core.E005",
        )


@register()
def a_pool_is_the_only_keeper_of_connections(**_: Any) -> Iterator[CheckMessage]:
    """Django refuses persistent connections beside a pool, but only at the first query."""
    if settings.DATABASE_POOL_SIZE < 0:
        yield Error(
            f"DATABASE_POOL_SIZE is {settings.DATABASE_POOL_SIZE}.",
            hint="Set it to the connections one process may hold, 0 for none kept in a pool.",
            id="core.E006",
        )


@register(Tags.security)
def networks_are_networks(**_: Any) -> Iterator[CheckMessage]:
    """A network that is none would stop every call out, and only when the first is made."""
    for network in settings.EGRESS_ALLOWED_NETWORKS:
        try:
            ip_network(network, strict=False)
        except ValueError:
            yield Error(
                f"EGRESS_ALLOWED_NETWORKS holds {network!r}.",
                hint="Write networks as 10.20.0.0/16, separated by commas.",
                id="core.E008",
            )


@register(Tags.security, deploy=True)
def production_calls_nobody_on_its_own_machine(**_: Any) -> Iterator[CheckMessage]:
    """An operator's receiver on loopback would reach whatever else listens there."""
    if settings.EGRESS_ALLOW_LOOPBACK:
        yield Error(
            "EGRESS_ALLOW_LOOPBACK is on.",
            hint="Unset it; it is for developers' machines. EGRESS_ALLOWED_NETWORKS names receivers that live inside.",
            id="core.E009",
        )


@register()
def a_relay_has_threads(**_: Any) -> Iterator[CheckMessage]:
    """Half of them are kept for receivers that are known to answer."""
    if not 4 <= settings.RELAY_THREADS <= 2000:  # noqa: PLR2004 - said in the hint
        yield Error(
            f"RELAY_THREADS is {settings.RELAY_THREADS}.",
            hint="Set it to the webhooks that one relay process may send at a time, from 4 to 2000.",
            id="core.E010",
        )


@register(deploy=True)
def production_stands_on_its_own_services(**_: Any) -> Iterator[CheckMessage]:
    """The embedded services live and die with the processes of one machine."""
    if settings.EMBEDDED_SERVICES:
        yield Error(
            f"Podium would bring its own {' and '.join(settings.EMBEDDED_SERVICES)}.",
            hint="Set DATABASE_URL and REDIS_URL.",
            id="core.E007",
        )


@register(deploy=True)
def production_is_reachable_as_it_says(**_: Any) -> Iterator[CheckMessage]:
    """Links built on this machine's own name work for nobody else."""
    if urlsplit(settings.PUBLIC_URL).hostname in LOCAL_HOSTS:
        yield Warning(
            f"PUBLIC_URL is {settings.PUBLIC_URL}, which only this machine can reach.",
            hint="Set it to the address clients use.",
            id="core.W001",
        )


@register()
def a_chain_takes_its_time(**_: Any) -> Iterator[CheckMessage]:
    """No transaction is final before it was sent, and nobody signs in no time."""
    if settings.CHAIN_FINALITY_SECONDS < 0 or settings.SIGNING_SECONDS < 1:
        yield Error(
            f"CHAIN_FINALITY_SECONDS is {settings.CHAIN_FINALITY_SECONDS}, "
            f"SIGNING_SECONDS is {settings.SIGNING_SECONDS}.",
            hint="Set the first to 0 or more, the second to 1 or more.",
            id="core.E011",
        )


@register(deploy=True)
def production_plays_for_real(**_: Any) -> Iterator[CheckMessage]:
    """What the simulated chain calls final has happened nowhere."""
    if settings.CHAIN == "simulated":
        yield Warning(
            "Rumble money moves on the simulated chain.",
            hint="Name the class of a chain's adapter in CHAIN, or leave it empty.",
            id="core.W002",
        )

"""Seed two operators through the services: staff, games, players with funds, and competitions of every kind."""

import random
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.core.actors import Actor
from apps.ledger.models import Rail
from apps.ledger.services import tenants as openings
from apps.ledger.services import transfers
from apps.operators.models import CredentialKind, Operator, Player, Role, User
from apps.operators.services import players, tenants
from apps.tournaments.models import Entry, StartMode, Tournament, TournamentType
from apps.tournaments.scoring import Method, RoundScoring
from apps.tournaments.services import creation, entries, running, settlement
from config.demo import past, past_matches
from config.demo.keys import Keys
from config.demo.traffic import GAME, NAMES

DEMO = Actor("system", "demo")
GAMES = {"turbo-roulette": "Turbo Roulette", "lucky-sevens": "Lucky Sevens", "dice-duel": "Dice Duel"}
# The traffic of the demo is faster than any one client of the documents.
LIMITS = {
    "standard": 6000,
    "tournamentCreation": 600,
    "registration": 6000,
    "results": 6000,
    "ceiling": 20_000,
    "burstPerTenSeconds": 10_000,
}


def seed(*, at: datetime) -> Keys:
    """Create the demo's operators and everything in them; return the secrets, which exist nowhere else."""
    keys = Keys(password=secrets.token_urlsafe(9))
    User.objects.create_superuser("admin@podium.example", keys.password)
    acme = _operator("Acme Casino", "acme", "USD", keys, at=at)
    bluebird = _operator("Bluebird Games", "bluebird", "EUR", keys, at=at)
    past.endpoints_of(acme, keys, actor=DEMO, at=at - timedelta(days=9))
    for role in Role:
        _staff(acme, role, keys, at=at)
    _staff(bluebird, Role.OWNER, keys, at=at)
    _acme_season(acme, at=at)
    _bluebird_season(bluebird, at=at)
    past.rooms_of(acme, actor=DEMO, at=at)
    past_matches.matches_of(acme, actor=DEMO, at=at)
    return keys


def _operator(name: str, slug: str, currency: str, keys: Keys, *, at: datetime) -> Operator:
    opened = openings.open_operator(name=name, slug=slug, currency=currency, actor=DEMO, at=at)
    operator = opened.operator
    keys.operator_keys[slug] = opened.credentials[CredentialKind.OPERATOR].key
    keys.internal_keys[slug] = opened.credentials[CredentialKind.INTERNAL].key
    game_key = opened.credentials[CredentialKind.GAME]
    keys.game_keys[slug] = (game_key.key, game_key.secret)
    integration = opened.credentials[CredentialKind.INTEGRATION]
    keys.integrations[slug] = (integration.credential.ref, integration.key)
    application = opened.credentials[CredentialKind.APPLICATION]
    keys.applications[slug] = (int(application.credential.ref), application.key)
    past_matches.clients_of(operator, opened.credentials[CredentialKind.MATCH_CLIENT], keys, actor=DEMO, at=at)
    tenants.change_preferences(operator.pk, {"rateLimits": LIMITS}, actor=DEMO, at=at)
    operator.refresh_from_db()
    for game, title in GAMES.items():
        tenants.put_game(operator.pk, game, tenants.GameChanges(display_name=title), actor=DEMO, at=at)
    for number, player in enumerate(NAMES, start=1):
        _player(operator, f"player-{number}", player, Decimal(100 + 5 * number), at=at - timedelta(days=9))
    return operator


def _staff(operator: Operator, role: str, keys: Keys, *, at: datetime) -> None:
    tenants.create_staff(
        email=f"{role}@{operator.slug}.example",
        operator_id=operator.pk,
        role=role,
        password=keys.password,
        actor=DEMO,
        at=at,
    )


def _player(operator: Operator, user_id: str, name: str, funds: Decimal, *, at: datetime) -> Player:
    player = players.create_player(
        operator.pk, user_id=user_id, display_name=name, brand_id=None, eos_id="", actor=DEMO, at=at
    )
    transfers.deposit(
        player.pk,
        asset_code=operator.currency,
        amount=funds,
        reference=f"welcome-{user_id}",
        actor=DEMO,
        at=at,
    )
    return player


def _acme_season(operator: Operator, *, at: datetime) -> None:
    """Every state a tournament can be in, as staff would find them on an ordinary day."""
    day = timedelta(days=1)
    tournament(operator, "New Year Grand Prix", starts_at=at + 40 * day, fee=100, guarantee=50_000, at=at, draft=True)
    plan = RoundScoring(method=Method.WIN_BET_RATIO, games=(GAME, "lucky-sevens"), min_bet=Decimal(1), min_rounds=20)
    tournament(
        operator,
        "Advent Multiplier",
        starts_at=at + 8 * day,
        ends_at=at + 15 * day,
        fee=0,
        guarantee=2500,
        at=at,
        max_players=None,
        scoring=plan,
        draft=True,
    )

    main = tournament(operator, "Saturday Main Event", starts_at=at + day, fee=25, guarantee=1000, at=at - 2 * day)
    _enter(main, NAMES[:18], at=at - day)

    warm_up = tournament(
        operator,
        "Weekend Warm-up",
        starts_at=at + timedelta(hours=5),
        fee=5,
        at=at - day,
        registration_opens_at=at - timedelta(hours=6),
    )
    _enter(warm_up, NAMES[10:21], at=at - timedelta(hours=3))

    cup = tournament(operator, "Invitation Cup", starts_at=at + timedelta(hours=2), fee=50, at=at - 3 * day)
    _enter(cup, NAMES[:9], at=at - day)
    running.close_registration(cup.pk, actor=DEMO, at=at - timedelta(hours=1))

    tournament(
        operator,
        "Hop-on Crash",
        starts_at=None,
        fee=2,
        at=at,
        start_mode=StartMode.AT_COUNT,
        min_players=4,
    )

    lunch = tournament(
        operator,
        "Lunch Break Sprint",
        starts_at=at - timedelta(minutes=20),
        ends_at=at + timedelta(hours=4),
        fee=10,
        at=at - day,
        rebuy_enabled=True,
        late_registration=True,
        rebuy_minutes=240,
    )
    _play(lunch, NAMES[:24], at=at - timedelta(minutes=20), rebuys=5)

    knockout = tournament(
        operator,
        "Knockout Night",
        starts_at=at - timedelta(minutes=50),
        fee=20,
        at=at - day,
        tournament_type=TournamentType.ELIMINATION,
    )
    _play(knockout, NAMES[5:17], at=at - timedelta(minutes=50), out=5)

    roller = tournament(
        operator, "High Roller Final", starts_at=at - timedelta(hours=3), fee=200, at=at - 2 * day, needs_approval=True
    )
    _play(roller, NAMES[:12], at=at - timedelta(hours=3))
    running.complete(roller.pk, actor=DEMO, at=at - timedelta(hours=1))

    for number, title in enumerate(("Daily Dash", "Midweek Marathon", "Yesterday's Daily"), start=1):
        past = at - number * day
        daily = tournament(
            operator, title, starts_at=past, fee=10, at=past - day, rail=Rail.WALLET, rake_percent=Decimal(5)
        )
        _play(daily, NAMES[number : number + 20], at=past)
        running.complete(daily.pk, actor=DEMO, at=past + timedelta(hours=1))
        settlement.pay_on(daily.pk, at=past + timedelta(hours=1, seconds=3))

    storm = tournament(operator, "Stormy Night Cup", starts_at=at - 2 * day, fee=15, at=at - 3 * day)
    _play(storm, NAMES[:14], at=at - 2 * day)
    running.cancel(storm.pk, reason="Venue outage", actor=DEMO, at=at - 2 * day + timedelta(hours=1))
    settlement.pay_on(storm.pk, at=at - 2 * day + timedelta(hours=1, seconds=2))

    ids = {player.external_id: player.pk for player in Player.objects.for_operator(operator.pk)}
    players.suspend(
        ids["player-39"],
        reason="Account under review",
        until=at + 14 * day,
        actor=DEMO,
        at=at,
    )
    players.self_exclude(ids["player-40"], reason="Taking a break", until=at + 180 * day, actor=DEMO, at=at)


def _bluebird_season(operator: Operator, *, at: datetime) -> None:
    day = timedelta(days=1)
    league = tournament(operator, "Roulette League", starts_at=at + day, fee=15, at=at, game="turbo-roulette")
    _enter(league, NAMES[:7], at=at)
    sevens = tournament(
        operator, "Sevens at Seven", starts_at=at - timedelta(hours=1), fee=5, at=at - day, game="lucky-sevens"
    )
    _play(sevens, NAMES[:10], at=at - timedelta(hours=1))
    opening = tournament(operator, "Opening Cup", starts_at=at - 2 * day, fee=5, at=at - 3 * day, guarantee=250)
    _play(opening, NAMES[:8], at=at - 2 * day)
    running.complete(opening.pk, actor=DEMO, at=at - 2 * day + timedelta(hours=1))
    settlement.pay_on(opening.pk, at=at - 2 * day + timedelta(hours=1, seconds=2))


def tournament(
    operator: Operator,
    name: str,
    *,
    starts_at: datetime | None,
    fee: int,
    at: datetime,
    guarantee: int = 0,
    game: str = GAME,
    **wishes: Any,
) -> Tournament:
    """Create a tournament of the demo; `wishes` are fields of NewTournament."""
    new = creation.NewTournament(
        name=name,
        game_slug=game,
        starts_at=starts_at,
        entry_fee=Decimal(fee),
        guarantee=Decimal(guarantee),
        max_players=wishes.pop("max_players", 100),
        **wishes,
    )
    return creation.create_tournament(new, operator=operator, actor=DEMO, at=at)


def _enter(played: Tournament, names: Sequence[str], *, at: datetime) -> Mapping[str, Entry]:
    return {
        name: entries.register(
            played.pk,
            user_id=f"player-{NAMES.index(name) + 1}",
            display_name=name,
            payment_id=f"pay-{played.pk}-{number}",
            actor=DEMO,
            at=at + timedelta(seconds=17 * number),
        )
        for number, name in enumerate(names)
    }


def _play(played: Tournament, names: Sequence[str], *, at: datetime, rebuys: int = 0, out: int = 0) -> None:
    """Enter players before the start, start, give them points, let some rebuy and some go out."""
    dice = random.Random(played.name)  # noqa: S311 - points of a game
    entered = list(_enter(played, names, at=at - timedelta(hours=2)).values())
    running.start(played.pk, actor=DEMO, at=at)
    for minute, entry in enumerate(entered, start=1):
        points = Decimal(dice.randrange(5, 900, 5))
        moment = at + timedelta(minutes=minute)
        entries.adjust_score(entry.pk, points=points, reason="First round", actor=DEMO, at=moment)
    for entry in entered[:rebuys]:
        entries.rebuy(entry.pk, actor=DEMO, at=at + timedelta(minutes=15))
    for minute, entry in enumerate(entered[len(entered) - out :], start=20):
        entries.remove(entry.pk, reason="elimination", actor=DEMO, at=at + timedelta(minutes=minute))

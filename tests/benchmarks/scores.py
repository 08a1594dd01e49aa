"""Report scores for a tournament, as game servers do, until told to stop. A process of its own."""

import random
import signal
import sys
import time

import django

CALLS_PER_SECOND = 5
SCORES_PER_CALL = 100


def main(tournament_id: int) -> None:
    from django.db import connection  # noqa: PLC0415 - after setup

    from apps.core import clock  # noqa: PLC0415
    from apps.core.actors import Actor  # noqa: PLC0415
    from apps.core.clock import iso  # noqa: PLC0415
    from apps.tournaments.services import intake  # noqa: PLC0415

    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT player_id FROM tournaments_entry WHERE tournament_id = %s AND status = 'IN'", [tournament_id]
        )
        players = [row[0] for row in cursor.fetchall()]
    print("ready", flush=True)
    begun, calls = time.monotonic(), 0
    dice = random.Random(1)
    while not over:
        at = clock.now()
        events = [
            {
                "eventType": "player.score.updated",
                "eventId": f"bench-{calls}-{n}",
                "timestamp": iso(at),
                "tournamentId": str(tournament_id),
                "data": {"playerId": str(player), "score": dice.randrange(100_500)},
            }
            for n, player in enumerate(dice.sample(players, SCORES_PER_CALL))
        ]
        intake.take_events(tournament_id, events, actor=Actor("game", "bench"), at=at)
        calls += 1
        time.sleep(max(0.0, begun + calls / CALLS_PER_SECOND - time.monotonic()))
    took = time.monotonic() - begun
    print(f"{calls * SCORES_PER_CALL:,} scores were taken, {calls * SCORES_PER_CALL / took:.0f} a second", flush=True)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))

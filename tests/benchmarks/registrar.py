"""Register players for tournaments, one after another, when told to begin. A process of its own.

Arguments: a name for the players, how many of them, then the tournaments to take in turn.
"""

import sys
import time

import django


def main(name: str, players: int, tournaments: list[int]) -> None:
    from apps.core import clock  # noqa: PLC0415 - after setup
    from apps.core.actors import Actor  # noqa: PLC0415
    from apps.tournaments.services import entries  # noqa: PLC0415

    actor = Actor("key", "bench")

    def register(user: str, tournament_id: int) -> None:
        entries.register(
            tournament_id, user_id=user, display_name=user, payment_id=f"pay-{user}", actor=actor, at=clock.now()
        )

    for number, tournament_id in enumerate(tournaments[:5]):
        register(f"{name}-warm-{number}", tournament_id)
    print("ready", flush=True)
    sys.stdin.readline()
    took = []
    for number in range(players):
        begun = time.perf_counter()
        register(f"{name}-{number}", tournaments[number % len(tournaments)])
        took.append(time.perf_counter() - begun)
    print(" ".join(f"{seconds:.6f}" for seconds in took), flush=True)


if __name__ == "__main__":
    django.setup()
    main(sys.argv[1], int(sys.argv[2]), [int(word) for word in sys.argv[3:]])

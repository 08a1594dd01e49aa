"""Whatever a game and its staff do, in whatever order, and whatever is refused: no unit appears, none is lost."""

import os
from collections import defaultdict
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apps.ledger.models import Balance
from apps.ledger.reconcile import CHECKS as BOOKS
from apps.rooms import errors, operations
from apps.rooms.models import Member, Room
from apps.rooms.operations import Entry
from apps.rooms.reconcile import CHECKS
from apps.rooms.services import staff, tasks
from tests.rooms.floor import AT, GAME, Floor

EXAMPLES = int(os.environ.get("PODIUM_ROOM_EXAMPLES", "10"))
NAMES = ("ana", "bo", "cy")
ASSETS = ("UPX", "USD")
WHO = st.sampled_from(NAMES)
UNITS = st.integers(min_value=0, max_value=60)
LINES = st.lists(st.tuples(WHO, st.sampled_from(ASSETS), UNITS), min_size=1, max_size=4)
PAYOUTS = st.lists(
    st.tuples(st.sampled_from([*NAMES, "house"]), st.sampled_from(ASSETS), UNITS), max_size=4, min_size=1
)
PICK = st.integers(min_value=0, max_value=5)


class Play(RuleBasedStateMachine):
    """Three players, two assets, as many rooms as it likes, and a model of who must have what."""

    def __init__(self):
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.floor = Floor()
        self.floor.settings(earn_fee_percent=7)
        self.has: dict[tuple[str, str], int] = defaultdict(int)
        self.left: dict[tuple[str, str], int] = {}
        for name in NAMES:
            self.floor.player(name, funds=100, approved=150)
            self.floor.player(name, funds=1, approved=1, asset="USD")
            self.has[name, "UPX"] = self.has[name, "USD"] = 100
            self.left[name, "UPX"], self.left[name, "USD"] = 150, 100
        self.rooms: list[int] = []
        self.inside: dict[int, set[str]] = defaultdict(set)
        self.ended: set[int] = set()

    def teardown(self):
        for check in (*BOOKS, *CHECKS):
            assert list(check(self.floor.operator.pk)) == []
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    # --- what is done -------------------------------------------------------------------------------------------------

    def entries(self, lines) -> list[Entry]:
        people = self.floor.people
        return [Entry(None if who == "house" else people[who].pk, code, units) for who, code, units in lines]

    def attempt(self, operation) -> bool:
        """Do it for real; a refusal must be one of the rules', and the model stays as it was."""
        try:
            with transaction.atomic():
                told = self.floor.do(operation)
        except errors.RoomError:
            return False
        self.rooms += [int(told["roomId"])] if operation.creates else []
        return True

    def room(self, pick: int) -> int:
        return self.rooms[pick % len(self.rooms)] if self.rooms else 2**40

    def paid(self, room: int, lines) -> None:
        for who, code, units in lines:
            self.has[who, code] -= units
            self.left[who, code] -= units
            self.has[f"room:{room}", code] += units

    def earned(self, room: int, lines, *, summed: bool) -> None:
        sums: dict[tuple[str, str], list[int]] = defaultdict(list)
        for who, code, units in lines:
            sums[who, code].append(units)
        for (who, code), several in sums.items():
            fee = sum(several) * 7 // 100 if summed else sum(units * 7 // 100 for units in several)
            self.has[f"room:{room}", code] -= sum(several)
            self.has[who, code] += sum(several) - fee
            self.has["fees", code] += fee

    @rule(lines=LINES)
    def create_join_pay(self, lines):
        if self.attempt(operations.create_join_pay(self.floor.game, self.entries(lines))):
            self.paid(self.rooms[-1], lines)
            self.inside[self.rooms[-1]] = {who for who, _, _ in lines}

    @rule(pick=PICK, who=WHO)
    def join(self, pick, who):
        room = self.room(pick)
        if self.attempt(operations.join(self.floor.game, room, self.floor.ids(who))):
            self.inside[room].add(who)

    @rule(pick=PICK, lines=LINES, joining=st.booleans())
    def pay(self, pick, lines, joining):
        room, entries = self.room(pick), self.entries(lines)
        verb = operations.join_pay if joining else operations.pay
        if self.attempt(verb(self.floor.game, room, entries)):
            self.paid(room, lines)
            assert joining or {who for who, _, _ in lines} <= self.inside[room]
            self.inside[room] |= {who for who, _, _ in lines}

    @rule(pick=PICK, lines=PAYOUTS)
    def earn(self, pick, lines):
        room = self.room(pick)
        if self.attempt(operations.earn(self.floor.game, room, self.entries(lines))):
            self.earned(room, lines, summed=True)

    @rule(pick=PICK, lines=PAYOUTS, ending=st.booleans())
    def earn_leave(self, pick, lines, ending):
        room = self.room(pick)
        verb = operations.earn_leave_end if ending else operations.earn_leave
        if self.attempt(verb(self.floor.game, room, self.entries(lines))):
            self.earned(room, lines, summed=False)
            self.inside[room] -= {who for who, _, _ in lines}
            self.ended |= {room} if ending else set()

    @rule(pick=PICK, who=WHO)
    def pay_out_all_and_end(self, pick, who):
        room = self.room(pick)
        lines = [(who, code, self.has[f"room:{room}", code]) for code in ASSETS]
        if self.attempt(operations.earn_leave_end(self.floor.game, room, self.entries(lines))):
            self.earned(room, lines, summed=False)
            self.inside[room] -= {who for who, _, _ in lines}
            self.ended.add(room)

    @rule(pick=PICK, who=WHO)
    def leave(self, pick, who):
        room = self.room(pick)
        if self.attempt(operations.leave(self.floor.game, room, self.floor.ids(who))):
            self.inside[room].discard(who)

    @rule(pick=PICK)
    def end(self, pick):
        room = self.room(pick)
        if self.attempt(operations.end(self.floor.game, room)):
            assert all(self.has[f"room:{room}", code] == 0 for code in ASSETS)
            self.ended.add(room)

    @rule(pick=PICK, closing=st.booleans())
    def staff_sweep(self, pick, closing):
        room = self.room(pick)
        if room not in self.rooms:
            return
        at = AT + timedelta(days=3)
        try:
            with transaction.atomic():
                verb = staff.close if closing else staff.refund
                verb(room, reason="test", actor=GAME, at=at)
        except errors.RoomError:
            return
        while tasks.execute_next(room, at=at):
            pass
        self.ended.add(room)
        for code in ASSETS:
            self.has[f"room:{room}", code] = 0
            if closing:
                self.has["house", code] = self.floor.house(code)
            for name in NAMES:
                self.has[name, code] = self.floor.wallet(name, code)

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def every_account_is_as_the_model_says_and_nothing_is_lost(self):
        floor = self.floor
        for code in ASSETS:
            whole = 0
            for name in NAMES:
                assert floor.wallet(name, code) == self.has[name, code] >= 0
                assert floor.allowance(name, code) == self.left[name, code] >= 0
                whole += self.has[name, code]
            for room in self.rooms:
                held = floor.balance("ESCROW", f"room:{room}", code)
                assert held == self.has[f"room:{room}", code] >= 0
                whole += held
            assert (floor.fees(code), floor.house(code)) == (self.has["fees", code], self.has["house", code])
            assert whole + floor.fees(code) + floor.house(code) == 100 * len(NAMES)

    @invariant()
    def rooms_and_members_are_as_the_model_says(self):
        assert set(Room.objects.filter(status="ENDED").values_list("pk", flat=True)) == self.ended
        for room in self.rooms:
            names = Member.objects.filter(room=room, left_at=None).values_list("player__external_id", flat=True)
            assert set(names) == self.inside[room] - {"house"}
        assert not Balance.objects.filter(bounded=True, units__lt=0).exists()


@pytest.mark.django_db
def test_nothing_is_made_or_lost_whatever_is_done():
    run_state_machine_as_test(
        Play,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

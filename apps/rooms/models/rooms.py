"""Games' settings, rooms, members, allowances, tasks and the activity of players.

Rows of these tables are written a thousand times a second, so they carry no foreign keys in the database where the
writer has just read (and, where it matters, locked) what they name; design.md 4.5 says why locks on shared rows hurt.
"""

import hashlib

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from apps.core.exact import ExactDecoder, ExactEncoder
from apps.core.lifecycle import edges_trigger
from apps.ledger.models import Asset
from apps.operators.models import Operator, Player
from apps.operators.models.history import ChangesOnly
from apps.operators.models.tenants import OwnedQuerySet
from apps.rooms.lifecycle import ROOM_EDGES, TASK_EDGES, RoomLifecycle, RoomStatus, TaskLifecycle, TaskStatus
from apps.rooms.querysets import RoomQuerySet


class GameSettings(models.Model):
    """What staff set for one game: (operator, the public name of its key). Made when first needed; no row, defaults.

    `earn_fee_percent` is kept back of everything a room pays out (rooms.md 6.3). `max_players` is the capacity of new
    rooms that name none; 0 is unlimited (6.6).
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="game_settings", db_index=False)
    game_id = models.CharField(max_length=120)
    earn_fee_percent = models.PositiveSmallIntegerField("fee on earnings, %", default=0)
    max_players = models.PositiveIntegerField("players a room takes", default=0, help_text="0: any number.")

    objects = OwnedQuerySet.as_manager()
    history = ChangesOnly()

    class Meta:
        verbose_name = verbose_name_plural = "game settings"
        constraints = (
            models.UniqueConstraint(name="rooms_settings_once", fields=["operator", "game_id"]),
            models.CheckConstraint(name="rooms_fee_is_a_share", condition=Q(earn_fee_percent__lte=100)),
        )

    def __str__(self) -> str:
        return self.game_id


class Room(RoomLifecycle):
    """An escrow that a game opened for one session. Its id on the wire is the decimal text of its key.

    From `expires_at` on it refuses to be joined or paid; earning, leaving and ending stay possible. Its money is in the
    accounts of `subject`, one per asset. `max_players` 0 is unlimited. `expired_at` is when the beat noticed that its
    time was over with nobody having ended it; staff find it by that.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="rooms", db_constraint=False, db_index=False
    )
    game_id = models.CharField(max_length=120)
    max_players = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField("expired, noticed at", null=True, blank=True)

    objects = RoomQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(name="rooms_status_known", condition=Q(status__in=RoomStatus.values)),
            models.CheckConstraint(
                name="rooms_ended_has_time", condition=Q(status=RoomStatus.OPEN) | Q(ended_at__isnull=False)
            ),
        )
        indexes = (
            models.Index(name="rooms_newest", fields=["operator", "-id"]),
            models.Index(
                name="rooms_to_expire",
                fields=["expires_at"],
                condition=Q(status=RoomStatus.OPEN, expired_at__isnull=True),
            ),
            models.Index(
                name="rooms_expired",
                fields=["operator", "-id"],
                condition=Q(status=RoomStatus.OPEN, expired_at__isnull=False),
            ),
        )
        permissions = (
            ("refund_room", "Can give what a room holds back to the players"),
            ("close_room", "Can end a room and take what it holds"),
            ("remove_member", "Can remove a player from a room"),
        )
        triggers = (
            edges_trigger("room_status_edges", ROOM_EDGES),
            pgtrigger.ReadOnly(name="room_owner_is_fixed", fields=["operator", "game_id", "created_at"]),
            pgtrigger.Protect(name="room_stays", operation=pgtrigger.Delete),
        )

    def __str__(self) -> str:
        return f"Room {self.pk}"

    @property
    def subject(self) -> str:
        """The name of the room in the books and in facts."""
        return f"room:{self.pk}"

    @property
    def address(self) -> str:
        """The room's `0x` address: stable, and unique because its number is (rooms.md 7, row 22)."""
        return "0x" + hashlib.sha256(f"podium:{self.subject}".encode()).hexdigest()[:40]


class Member(models.Model):
    """A player who is in a room, or was: `left_at` empty means is. Joining again is a new row."""

    room = models.ForeignKey(
        Room, on_delete=models.PROTECT, related_name="members", db_constraint=False, db_index=False
    )
    player = models.ForeignKey(
        Player, on_delete=models.PROTECT, related_name="room_memberships", db_constraint=False, db_index=False
    )
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="rooms_in_once", fields=["room", "player"], condition=Q(left_at__isnull=True)),
        )
        indexes = (models.Index(name="rooms_left", fields=["room"], condition=Q(left_at__isnull=False)),)

    def __str__(self) -> str:
        return f"player {self.player_id} in room {self.room_id}"


class Allowance(models.Model):
    """What a player lets a game take of an asset: `units` are left until `expires_at` (rooms.md 3.30).

    Approving replaces it, revoking sets it to 0, paying takes from it in the transaction of the payment.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="allowances", db_constraint=False, db_index=False
    )
    game_id = models.CharField(max_length=120)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="allowances", db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", db_index=False)
    units = models.DecimalField("units left", max_digits=38, decimal_places=0)
    granted_units = models.DecimalField(max_digits=38, decimal_places=0)
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="rooms_allowance_once", fields=["player", "asset", "game_id"]),
            models.CheckConstraint(name="rooms_allowance_not_negative", condition=Q(units__gte=0)),
        )
        indexes = (models.Index(name="rooms_allowance_newest", fields=["operator", "-id"]),)

    def __str__(self) -> str:
        return f"player {self.player_id} to {self.game_id}"


class Task(TaskLifecycle):
    """One operation: what was asked for, and what became of it. A queued task is a place in its room's queue.

    It is no `jobs.Job`: a job is long work that a person watches and that something else queues; a task takes a
    millisecond, is itself the queue, and is written a thousand times a second. It uses the words of jobs.

    `method` and `params` are shown to the game as they came (rooms.md 4). `request` is what they meant, for the worker;
    it is empty where the operation was done at once. The state, and what was done, commit in one transaction: a task
    is done exactly once. Tasks of one room are done in the order of their keys; one without a room waits for nobody.
    `due_at` is booked before each try. `key` makes asking twice asking once.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="room_tasks", db_constraint=False, db_index=False
    )
    public_id = models.CharField(max_length=40)
    game_id = models.CharField(max_length=120)
    room = models.ForeignKey(
        Room, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks", db_constraint=False, db_index=False
    )
    key = models.CharField(max_length=120, null=True, blank=True)
    method = models.CharField(max_length=32)
    params = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    request = models.JSONField(default=dict, blank=True, encoder=ExactEncoder, decoder=ExactDecoder)
    result = models.JSONField(default=dict, blank=True, encoder=ExactEncoder, decoder=ExactDecoder)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    error_hint = models.TextField(blank=True)
    error_details = models.JSONField(default=dict, blank=True, encoder=ExactEncoder, decoder=ExactDecoder)
    actor = models.CharField(max_length=80)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="rooms_task_id_once", fields=["public_id"]),
            models.UniqueConstraint(
                name="rooms_task_key_once", fields=["operator", "game_id", "key"], condition=Q(key__isnull=False)
            ),
            models.CheckConstraint(name="rooms_task_status_known", condition=Q(status__in=TaskStatus.values)),
            models.CheckConstraint(
                name="rooms_ended_task_has_time", condition=Q(status=TaskStatus.QUEUED) | Q(completed_at__isnull=False)
            ),
        )
        indexes = (
            models.Index(name="rooms_task_newest", fields=["operator", "-id"]),
            models.Index(name="rooms_task_by_room", fields=["room", "-id"], condition=Q(room__isnull=False)),
            models.Index(name="rooms_task_queue", fields=["room", "id"], condition=Q(status=TaskStatus.QUEUED)),
            BrinIndex(name="rooms_task_by_time", fields=["created_at"]),
        )
        triggers = (edges_trigger("room_task_status_edges", TASK_EDGES),)

    def __str__(self) -> str:
        return self.public_id

    @property
    def hash(self) -> str | None:
        """The task's `0x` transaction hash: stable and unique; None unless it succeeded (rooms.md 4)."""
        if self.status != TaskStatus.SUCCEEDED:
            return None
        return "0x" + hashlib.sha256(f"podium:{self.public_id}".encode()).hexdigest()


class Activity(models.Model):
    """What one player did, or was given, in a game: the log that rooms.md 3.32 shows, newest first by key.

    `action` is the word of the wire: create, join, leave, pay, earn, end, createJoinPay, joinPay, earnLeave,
    earnLeaveEnd, approve, revoke. Operations of rooms write one row per player with `data` {roomId, taskId, entries:
    [{token, amount}]} (amounts in major units, exact); whoever approves or revokes writes through
    `services.activity.note`.
    """

    operator = models.ForeignKey(
        Operator, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    game_id = models.CharField(max_length=120)
    player = models.ForeignKey(
        Player, on_delete=models.PROTECT, related_name="room_activity", db_constraint=False, db_index=False
    )
    action = models.CharField(max_length=32)
    data = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    occurred_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "activity"
        indexes = (models.Index(name="rooms_activity_of_player", fields=["player", "-id"]),)

    def __str__(self) -> str:
        return f"{self.action} by player {self.player_id}"

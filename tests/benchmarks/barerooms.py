"""Write what a createJoinPay of four players writes, with bare SQL: prepared statements, one transaction a room.

A process of its own. Reads a JSON object {conninfo, rooms, operator, asset, groups: [{players, wallets, allowances}]}
from stdin, says "ready", waits for a line and prints the seconds of processor that it took itself. The ledger's
triggers run here as they do for everybody; nothing is read, checked or decided.
"""

import json
import sys
import time
import uuid

import psycopg

ROOM = """
    INSERT INTO rooms_room (operator_id, game_id, status, max_players, expires_at, created_at)
    VALUES (%s, 'bench', 'OPEN', 0, now() + interval '1 day', now()) RETURNING id
"""
MEMBERS = "INSERT INTO rooms_member (room_id, player_id, joined_at) SELECT %s, unnest(%s::bigint[]), now()"
ACCOUNT = """
    INSERT INTO ledger_account (operator_id, kind, subject, asset_id, bounded, slots)
    VALUES (%s, 'ESCROW', 'room:' || %s::bigint, %s, TRUE, 1) RETURNING id
"""
JOURNAL = """
    INSERT INTO ledger_journal (operator_id, kind, key, subject, legs, occurred_at, actor, request_id, memo)
    VALUES (%s, 'room.pay', %s, 'room:' || %s::bigint, 5, now(), 'key:bench', '', '') RETURNING id
"""
POSTINGS = """
    INSERT INTO ledger_posting (journal_id, leg, account_id, units)
    SELECT %s, place - 1, account, units
      FROM unnest(%s::bigint[], %s::numeric[]) WITH ORDINALITY AS l(account, units, place)
"""
ALLOWANCES = "UPDATE rooms_allowance SET units = units - 1 WHERE id = ANY(%s)"
FACTS = """
    INSERT INTO events_fact (operator_id, public_id, type, subject, data, actor, request_id, occurred_at)
    SELECT %s, %s || n, 'room.paid', 'room:' || %s::bigint, %s::jsonb, 'key:bench', '', now()
      FROM generate_series(1, 3) n
"""
ACTIVITY = """
    INSERT INTO rooms_activity (operator_id, game_id, player_id, action, data, occurred_at)
    SELECT %s, 'bench', unnest(%s::bigint[]), 'createJoinPay', %s::jsonb, now()
"""
TASK = """
    INSERT INTO rooms_task (operator_id, game_id, room_id, public_id, method, params, request, result, status, actor,
                            tries, due_at, created_at, completed_at, error_code, error_message, error_hint,
                            error_details)
    VALUES (%s, 'bench', %s, %s, 'createJoinPayGameRoom', %s::jsonb, '{}', %s::jsonb, 'SUCCEEDED', 'key:bench', 0,
            now(), now(), now(), '', '', '', '{}')
"""
LINES = [{"plyrId": f"bench-{n}", "token": "gamr", "amount": 1} for n in range(4)]
DATA = json.dumps({"roomId": "1", "gameId": "bench", "taskId": "1", "payments": LINES})
PARAMS = json.dumps({"gameId": "bench", "plyrIds": ["bench"] * 4, "tokens": ["gamr"] * 4, "amounts": [1] * 4})
ENTRIES = json.dumps({"roomId": "1", "taskId": "1", "entries": [{"token": "gamr", "amount": 1}]})


def write(connection: psycopg.Connection, operator: int, asset: int, group: dict) -> None:
    """One room."""
    name = uuid.uuid4().hex
    with connection.transaction(), connection.cursor() as cursor:
        room = cursor.execute(ROOM, [operator]).fetchone()[0]
        cursor.execute(MEMBERS, [room, group["players"]])
        escrow = cursor.execute(ACCOUNT, [operator, room, asset]).fetchone()[0]
        journal = cursor.execute(JOURNAL, [operator, name, room]).fetchone()[0]
        cursor.execute(POSTINGS, [journal, [*group["wallets"], escrow], [-1, -1, -1, -1, 4]])
        cursor.execute(ALLOWANCES, [group["allowances"]])
        cursor.execute(FACTS, [operator, name[:30], room, DATA])
        cursor.execute(ACTIVITY, [operator, group["players"], ENTRIES])
        cursor.execute(TASK, [operator, room, name, PARAMS, DATA])


def main() -> None:
    """Do what stdin says."""
    told = json.loads(sys.stdin.readline())
    with psycopg.connect(told["conninfo"], autocommit=True, prepare_threshold=1) as connection:
        groups = told["groups"]
        for group in groups[:20]:
            write(connection, told["operator"], told["asset"], group)
        print("ready", flush=True)
        sys.stdin.readline()
        begun = time.process_time()
        for number in range(told["rooms"]):
            write(connection, told["operator"], told["asset"], groups[number % len(groups)])
        print(time.process_time() - begun, flush=True)


if __name__ == "__main__":
    main()

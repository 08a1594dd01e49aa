-- Write what an operation does, all of it, in one round trip and with plans that are kept: the room, who came and went,
-- the allowances, the journal with its postings, the facts, the players' activity and the task. Whoever calls has
-- decided, and holds the room (rooms_hold) unless it is new. Constraints and triggers judge it once more; for a new room,
-- which nobody holds and whose payers may have revoked or spent meanwhile, that is what counts.
--
-- Accounts that are missing come before the postings in a statement of their own, because a trigger gives them their
-- balances when that statement ends. Returns the task's key.
CREATE OR REPLACE FUNCTION rooms_write(change jsonb) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    of_operator bigint := (change ->> 'operator')::bigint;
    of_game text := change ->> 'game';
    of_room bigint := (change #>> '{room,id}')::bigint;
    moment timestamptz := (change ->> 'at')::timestamptz;
    who text := change ->> 'actor';
    task jsonb := change -> 'task';
    movement jsonb := change -> 'journal';
    journal bigint;
    taken bigint;
    written bigint;
BEGIN
    IF (change #>> '{room,new}')::boolean THEN
        INSERT INTO rooms_room (id, operator_id, game_id, status, max_players, expires_at, created_at)
        VALUES (of_room, of_operator, of_game, change #>> '{room,status}', (change #>> '{room,max_players}')::int,
                (change #>> '{room,expires_at}')::timestamptz, moment);
    ELSIF change #> '{room,ended_at}' <> 'null' THEN
        UPDATE rooms_room SET status = change #>> '{room,status}', ended_at = (change #>> '{room,ended_at}')::timestamptz
         WHERE id = of_room;
    END IF;

    IF change -> 'joins' <> '[]' THEN
        INSERT INTO rooms_member (room_id, player_id, joined_at)
        SELECT of_room, p::bigint, moment FROM jsonb_array_elements_text(change -> 'joins') p;
    END IF;
    IF change -> 'leaves' <> '[]' THEN
        UPDATE rooms_member SET left_at = moment
         WHERE room_id = of_room AND left_at IS NULL
           AND player_id IN (SELECT p::bigint FROM jsonb_array_elements_text(change -> 'leaves') p);
    END IF;
    IF change -> 'takes' <> '[]' THEN
        PERFORM 1 FROM rooms_allowance
         WHERE id IN (SELECT (t ->> 0)::bigint FROM jsonb_array_elements(change -> 'takes') t)
         ORDER BY id FOR NO KEY UPDATE;
        UPDATE rooms_allowance a SET units = a.units - (t ->> 1)::numeric
          FROM jsonb_array_elements(change -> 'takes') t
         WHERE a.id = (t ->> 0)::bigint AND a.expires_at > moment;
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF taken <> jsonb_array_length(change -> 'takes') THEN
            RAISE EXCEPTION 'an allowance is gone'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'rooms_allowance_not_negative';
        END IF;
    END IF;

    IF change -> 'accounts' <> '[]' THEN
        INSERT INTO ledger_account (operator_id, kind, subject, asset_id, bounded, slots)
        SELECT of_operator, n ->> 0, n ->> 1, (n ->> 2)::bigint, (n ->> 3)::boolean, (n ->> 4)::smallint
          FROM jsonb_array_elements(change -> 'accounts') n
        ON CONFLICT (operator_id, kind, subject, asset_id) DO NOTHING;
    END IF;
    IF movement <> 'null' THEN
        INSERT INTO ledger_journal
               (operator_id, kind, key, subject, legs, occurred_at, actor, request_id, memo)
        VALUES (of_operator, movement ->> 'kind', movement ->> 'key', 'room:' || of_room,
                jsonb_array_length(movement -> 'legs'), moment, who, change ->> 'request', movement ->> 'memo')
        RETURNING id INTO journal;
        INSERT INTO ledger_posting (journal_id, leg, account_id, units)
        SELECT journal, l.place - 1,
               COALESCE((l.leg ->> 0)::bigint, (
                   SELECT id FROM ledger_account
                    WHERE operator_id = of_operator AND kind = l.leg ->> 1 AND subject = l.leg ->> 2
                      AND asset_id = (l.leg ->> 3)::bigint)),
               (l.leg ->> 4)::numeric
          FROM jsonb_array_elements(movement -> 'legs') WITH ORDINALITY AS l(leg, place);
    END IF;

    -- In their order: the keys that they draw rise with it.
    INSERT INTO events_fact (operator_id, public_id, type, subject, data, actor, request_id, occurred_at)
    SELECT of_operator, f ->> 'id', f ->> 'type', f ->> 'subject', f -> 'data', who, change ->> 'request', moment
      FROM jsonb_array_elements(change -> 'facts') f;

    IF change -> 'activity' <> '[]' THEN
        INSERT INTO rooms_activity (operator_id, game_id, player_id, action, data, occurred_at)
        SELECT of_operator, of_game, (a ->> 0)::bigint, change ->> 'action', a -> 1, moment
          FROM jsonb_array_elements(change -> 'activity') a;
    END IF;

    IF task = 'null' THEN
        RETURN NULL;
    ELSIF task -> 'id' <> 'null' THEN
        UPDATE rooms_task
           SET status = task ->> 'status', completed_at = moment, result = task -> 'result', room_id = of_room
         WHERE id = (task ->> 'id')::bigint RETURNING id INTO written;
        RETURN written;
    END IF;
    INSERT INTO rooms_task
           (operator_id, game_id, room_id, public_id, key, method, params, request, result, status, actor, tries,
            due_at, created_at, completed_at, error_code, error_message, error_hint, error_details)
    VALUES (of_operator, of_game, of_room, task ->> 'public_id', task ->> 'key', task ->> 'method', task -> 'params', '{}',
            task -> 'result', task ->> 'status', who, 0, moment, moment, moment, '', '', '', '{}')
    RETURNING id INTO written;
    RETURN written;
END
$$;

-- Hold a room and read all that an operation in it needs, in one round trip and with plans that are kept.
--
-- Locks, in this order, as everybody does: the room, then the allowances of the payers by key. (Balances come last, when
-- postings move them.) What is read after a lock is read by a later statement, so it is never older than the lock.
--
-- of_room null stands for a room that is about to be created: its number is drawn here, and nothing is locked, because
-- rooms_write is then a transaction of its own and takes the allowances' locks itself. The answer is one JSON text,
-- {"room": null} when the game has no such room. Units are text: they have up to 38 digits.
CREATE OR REPLACE FUNCTION rooms_hold(
    of_operator bigint, of_game text, of_room bigint, of_players bigint[], payers bigint[], codes text[], house text
) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    held rooms_room;
    escrow text;
    assets bigint[];
    known jsonb;
BEGIN
    IF of_room IS NULL THEN
        held.id := nextval(pg_get_serial_sequence('rooms_room', 'id'));
    ELSE
        SELECT * INTO held FROM rooms_room
         WHERE id = of_room AND operator_id = of_operator AND game_id = of_game FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN '{"room": null}';
        END IF;
    END IF;
    escrow := 'room:' || held.id;

    SELECT array_agg(a.id), jsonb_object_agg(a.code, jsonb_build_array(a.id, a.scale, a.enabled))
      INTO assets, known FROM ledger_asset a
     WHERE a.operator_id = of_operator
       AND (a.code = ANY(codes) OR of_room IS NOT NULL AND a.id IN (
            SELECT asset_id FROM ledger_account
             WHERE operator_id = of_operator AND kind = 'ESCROW' AND subject = escrow));

    IF payers <> '{}' AND of_room IS NOT NULL THEN
        PERFORM 1 FROM rooms_allowance
         WHERE player_id = ANY(payers) AND asset_id = ANY(assets) AND game_id = of_game
         ORDER BY id FOR NO KEY UPDATE;
    END IF;

    RETURN jsonb_build_object(
        'room', jsonb_build_object('id', held.id, 'status', COALESCE(held.status, 'OPEN'),
                                   'expires_at', COALESCE(held.expires_at, NOW()),
                                   'max_players', COALESCE(held.max_players, 0)),
        'busy', of_room IS NOT NULL AND EXISTS (
            SELECT 1 FROM rooms_task WHERE room_id = of_room AND status = 'QUEUED'),
        -- How many are in it, where that limits who may join.
        'seated', CASE WHEN held.max_players > 0 THEN (
            SELECT COUNT(*) FROM rooms_member WHERE room_id = of_room AND left_at IS NULL) ELSE 0 END,
        'settings', (SELECT jsonb_build_array(earn_fee_percent, max_players) FROM rooms_gamesettings
                      WHERE operator_id = of_operator AND game_id = of_game),
        'assets', COALESCE(known, '{}'),
        'players', COALESCE((
            SELECT jsonb_agg(jsonb_build_array(p.id, p.block_kind, p.blocked_until, m.id))
              FROM operators_player p
              LEFT JOIN rooms_member m ON m.room_id = of_room AND m.player_id = p.id AND m.left_at IS NULL
             WHERE p.id = ANY(of_players) AND p.operator_id = of_operator), '[]'),
        'allowances', CASE WHEN payers = '{}' THEN '[]' ELSE COALESCE((
            SELECT jsonb_agg(jsonb_build_array(id, player_id, asset_id, units::text, granted_units <> 0, expires_at))
              FROM rooms_allowance
             WHERE player_id = ANY(payers) AND asset_id = ANY(assets) AND game_id = of_game), '[]') END,
        'accounts', COALESCE((
            SELECT jsonb_agg(jsonb_build_array(a.id, a.kind, a.subject, a.asset_id, CASE WHEN a.slots = 1 THEN (
                       SELECT units::text FROM ledger_balance WHERE account_id = a.id AND slot = 0) ELSE '0' END))
              FROM (SELECT 'PLAYER', 'player:' || p FROM unnest(of_players) p
                    UNION ALL SELECT 'ESCROW', escrow WHERE of_room IS NOT NULL
                    UNION ALL SELECT 'PLATFORM', '' WHERE house IS NOT NULL
                    UNION ALL SELECT 'REVENUE', house WHERE house IS NOT NULL) w (kind, subject)
              JOIN ledger_account a ON a.operator_id = of_operator AND a.kind = w.kind AND a.subject = w.subject
               AND a.asset_id = ANY(assets)), '[]')
    )::text;
END
$$;

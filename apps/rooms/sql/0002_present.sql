-- Tell of players by their handles who they are, and which session of theirs with a game counts. A function, because
-- its plan is kept: planning the query takes six times as long as doing it, and every call with players asks it.
CREATE OR REPLACE FUNCTION rooms_present(of_game text, of_operator bigint, handles text[])
RETURNS TABLE (handle text, player_id bigint, is_guest boolean, nonce integer, deadline timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT p.handle::text, p.id, p.is_guest, s.nonce, s.deadline
      FROM operators_player p LEFT JOIN rooms_gamesession s ON s.player_id = p.id AND s.game_id = of_game
     WHERE p.operator_id = of_operator AND p.handle = ANY(handles);
END
$$;

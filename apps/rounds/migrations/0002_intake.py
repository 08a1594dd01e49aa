from django.db import migrations

# A function, because its plans are kept by each server connection: planning these five statements for every call would
# take longer than running them for a single round.
CREATE = """
CREATE FUNCTION rounds_take(
    body jsonb, whose bigint, via varchar, moment timestamptz, keep_all boolean,
    OUT fresh bigint, OUT wanted bigint, OUT queued bigint
) LANGUAGE plpgsql AS $$
BEGIN
    WITH told AS MATERIALIZED (
        SELECT * FROM (
            SELECT s.*, b.id AS brand, g.id AS game,
                   EXISTS (SELECT FROM rounds_watchedgame wg JOIN rounds_watch w ON w.tournament_id = wg.watch_id
                            WHERE wg.game_id = g.id AND (w.brands = '{}' OR b.id = ANY (w.brands))) AS watched
              FROM jsonb_to_recordset(body) AS s(
                       n int, k uuid, o timestamptz, r text, b text, p text, g text, t text, c text, a numeric, w numeric)
              JOIN operators_brand b ON b.operator_id = whose AND b.external_id = s.b AND b.enabled
              JOIN operators_game g ON g.operator_id = whose AND g.slug = s.g AND g.enabled
                                   AND (g.enabled_brands IS NULL OR s.b = ANY (g.enabled_brands))
        ) known WHERE watched OR keep_all
    ), taken AS (
        -- In the order of the keys, so that two calls that share rounds never wait for each other in a circle.
        INSERT INTO rounds_roundkey (digest, received_at) SELECT k, moment FROM told ORDER BY k
        ON CONFLICT DO NOTHING RETURNING digest
    ), stored AS (
        INSERT INTO rounds_round (received_at, occurred_at, operator_id, brand_id, game_id, watched, integration,
                                  round_id, player_ref, round_type, currency, bet, win)
        SELECT moment, o, whose, brand, game, watched, via, r, p, t, c, a, w
          FROM told JOIN taken ON digest = k ORDER BY n
        RETURNING number, watched
    ), pending AS (
        INSERT INTO rounds_pendinground (number, received_at, operator_id)
        SELECT number, moment, whose FROM stored WHERE watched
        RETURNING number
    )
    SELECT (SELECT count(*) FROM stored), (SELECT count(*) FROM told WHERE watched), (SELECT count(*) FROM pending)
      INTO fresh, wanted, queued;
END $$
"""
DROP = "DROP FUNCTION rounds_take(jsonb, bigint, varchar, timestamptz, boolean)"


class Migration(migrations.Migration):

    dependencies = [
        ('operators', '0004_catalogue_sync'),
        ('rounds', '0001_rounds'),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]

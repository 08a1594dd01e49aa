from django.db import migrations

# As 0002_intake has it, but for two things that took a third of its time:
# - The body is `json`: it is read once, and `jsonb` would sort and pack it first.
# - What was taken is looked up in a hash. As a join, which the planner thinks to be of one row each, it compared every
#   round of a call with every other; `IS TRUE` keeps the planner from making a join of it.
# The one with `jsonb` stays for releases that still run; nobody calls it any more.
CREATE = """
CREATE FUNCTION rounds_take(
    body json, whose bigint, via varchar, moment timestamptz, keep_all boolean,
    OUT fresh bigint, OUT wanted bigint, OUT queued bigint
) LANGUAGE plpgsql AS $$
BEGIN
    WITH told AS MATERIALIZED (
        SELECT * FROM (
            SELECT s.*, b.id AS brand, g.id AS game,
                   EXISTS (SELECT FROM rounds_watchedgame wg JOIN rounds_watch w ON w.tournament_id = wg.watch_id
                            WHERE wg.game_id = g.id AND (w.brands = '{}' OR b.id = ANY (w.brands))) AS watched
              FROM json_to_recordset(body) AS s(
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
          FROM told WHERE (k IN (SELECT digest FROM taken)) IS TRUE ORDER BY n
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
DROP = "DROP FUNCTION rounds_take(json, bigint, varchar, timestamptz, boolean)"


class Migration(migrations.Migration):

    dependencies = [
        ('rounds', '0004_scoring'),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]

from django.db import migrations

# A function, because its plans are kept by each server connection: planning these statements for every call would take
# longer than running them for a single round. Three things are written for speed, and each saves a tenth of its time:
# - The body is `json`: it is read once, and `jsonb` would sort and pack it first.
# - Brands, games and who watches them are looked up once for the call and not for each of its rounds.
# - What was taken is looked up in a hash. As a join, which the planner thinks to be of one row each, it compared every
#   round of a call with every other; `IS TRUE` keeps the planner from making a join of it.
CREATE = """
CREATE FUNCTION rounds_take(
    body json, whose bigint, via varchar, moment timestamptz, keep_all boolean,
    OUT fresh bigint, OUT wanted bigint, OUT queued bigint
) LANGUAGE plpgsql AS $$
BEGIN
    WITH sent AS MATERIALIZED (
        SELECT * FROM json_to_recordset(body) AS s(
               n int, k uuid, o timestamptz, r text, b text, p text, g text, t text, c text, a numeric, w numeric)
    ), brand AS MATERIALIZED (
        SELECT id, external_id FROM operators_brand
         WHERE operator_id = whose AND enabled AND external_id IN (SELECT b FROM sent)
    ), game AS MATERIALIZED (
        SELECT g.id, g.slug, g.enabled_brands, w.everywhere, w.brands
          FROM operators_game g, LATERAL (
               -- A watch without brands is for all of them.
               SELECT COALESCE(bool_or(w.brands = '{}'), false) AS everywhere, array_agg(b.id) AS brands
                 FROM rounds_watchedgame wg JOIN rounds_watch w ON w.tournament_id = wg.watch_id
                 LEFT JOIN brand b ON b.id = ANY (w.brands)
                WHERE wg.game_id = g.id) w
         WHERE g.operator_id = whose AND g.enabled AND g.slug IN (SELECT g FROM sent)
    ), told AS MATERIALIZED (
        SELECT * FROM (
            SELECT s.*, b.id AS brand, g.id AS game, (g.everywhere OR b.id = ANY (g.brands)) IS TRUE AS watched
              FROM sent s
              JOIN brand b ON b.external_id = s.b
              JOIN game g ON g.slug = s.g AND (g.enabled_brands IS NULL OR s.b = ANY (g.enabled_brands))
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
        ('operators', '0004_catalogue_sync'),
        ('rounds', '0001_rounds'),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]

"""The SQL of scoring.

One text judges rounds and adds them up; counting on and counting anew differ in where the rounds come from and in what
the score is before them.

What a round is worth is rounded to 12 places once, and only then added up: so the order in which rounds are added never
shows in a score.
"""

from apps.tournaments.board import packing

LIVE = "('REGISTERING', 'AWAITING_PAYMENTS', 'REGISTRATION_CLOSED', 'RUNNING')"

# The most points that an entry and a board can hold: whose bet was next to nothing may come to more.
MOST = "999999999999999999.999999999999"

# The rules with what else decides whether a round fits.
_RULES = """
    open_rule AS MATERIALIZED (
        SELECT u.*, LEAST(t.starts_at, t.started_at) AS opens, t.ends_at AS ends,
               COALESCE(LEAST(t.ends_at + make_interval(secs => u.grace_seconds), t.completed_at),
                        'infinity') AS closes,
               u.method IN ('WIN_BET_RATIO', 'BEST_MULTIPLIER', 'CONSECUTIVE_ROUNDS') AS needs_bet,
               u.min_bet > 0 OR u.method IN ('WAGERED_AMOUNT', 'TOTAL_WIN')
                             OR (u.method = 'WIN_BET_RATIO' AND u.ratio = 'RATIO_OF_SUMS') AS needs_rate
          FROM rounds_rule u JOIN tournaments_tournament t ON t.id = u.tournament_id
         WHERE {rules}
    )"""

# A currency may be worth something else from each moment on at which a rate begins to hold.
_RATES = """
    span AS (
        SELECT c.currency, u.base, c.first, c.last
          FROM (SELECT currency, min(occurred_at) AS first, max(occurred_at) AS last FROM told GROUP BY 1) c
          JOIN (SELECT DISTINCT base FROM open_rule WHERE needs_rate) u ON u.base <> c.currency
    ), turn AS (
        SELECT currency, base, first AS since FROM span
         UNION
        SELECT s.currency, s.base, x.valid_from
          FROM span s JOIN ledger_exchangerate x
            ON x.operator_id = %(operator)s AND x.valid_from > s.first AND x.valid_from <= s.last
    ), rate AS MATERIALIZED (
        SELECT currency, base, since,
               COALESCE(lead(since) OVER (PARTITION BY currency, base ORDER BY since), 'infinity') AS before,
               rounds_rate(%(operator)s, currency, base, since) AS rate
          FROM turn
    )"""

# `r` is a round, `u` a rule, `x` a rate: 1 for money of the base currency.
_RATE = "COALESCE(x.rate, 1)"
# No more than this of a round, so that a score holds as many rounds as it can number: rates may be told that make one
# amount larger than any column. A ratio of what can be told never is.
_DEAREST = "1e38"
_BET, _WIN = (f"round(LEAST(r.{amount} * {_RATE}, {_DEAREST}), 12)" for amount in ("bet", "win"))
_WORTH = f"""
               CASE u.method
                   WHEN 'WAGERED_AMOUNT' THEN {_BET}
                   WHEN 'TOTAL_WIN' THEN {_WIN}
                   WHEN 'ROUND_COUNT' THEN 1
                   WHEN 'WIN_BET_RATIO' THEN
                       CASE u.ratio WHEN 'RATIO_OF_SUMS' THEN {_WIN}
                                    ELSE round(r.win / NULLIF(r.bet, 0), 12) END
                   ELSE round(r.win / NULLIF(r.bet, 0), 12) END AS worth,
               CASE WHEN u.ratio = 'RATIO_OF_SUMS' THEN {_BET} ELSE 0 END AS weight,
               (NOT u.needs_rate OR r.currency = u.base OR x.rate IS NOT NULL) AS rated"""
_WITH_RATE = """
          LEFT JOIN rate x ON u.needs_rate AND x.currency = r.currency AND x.base = u.base
                          AND r.occurred_at >= x.since AND r.occurred_at < x.before"""
# Reasons not to count, in the order in which they are told; NULL: none. A round that needs a rate and has none is none
# of them, for it may count later.
_FITS = f"""(u.brands = '{{}}' OR r.brand_id = ANY (u.brands)) AND r.round_type = ANY (u.round_types)
           AND r.occurred_at >= u.opens AND (u.ends IS NULL OR r.occurred_at < u.ends)
           AND r.received_at >= u.since AND r.received_at <= u.closes
           AND (r.bet > 0 OR NOT u.needs_bet)
           AND (u.min_bet = 0 OR r.bet * {_RATE} >= u.min_bet
                OR (r.currency <> u.base AND x.rate IS NULL))"""

# Rounds that count, or have been found not to: neither void, nor queued, nor set aside.
_IN_HAND = """NOT EXISTS (SELECT FROM rounds_voidedround v WHERE v.number = r.number)
           AND NOT EXISTS (SELECT FROM rounds_pendinground p
                            WHERE p.operator_id = r.operator_id AND p.number = r.number)
           AND NOT EXISTS (SELECT FROM rounds_setasideround a WHERE a.number = r.number AND a.released_at IS NULL)"""
# What has no rate yet is noted, and looked at again when a rate comes.
_UNRATED = """unrated AS (
        INSERT INTO rounds_unratedround
               (tournament_id, operator_id, brand_id, player_ref, currency, number, occurred_at)
        SELECT tournament_id, %(operator)s, brand_id, player_ref, currency, number, occurred_at
          FROM judged WHERE NOT rated
        ON CONFLICT DO NOTHING
    )"""

# Of the judged rounds of entries: those that count, what they come to, and what that makes of score and entry. {s_…} is
# the score before them: as it stands, or nothing at all. What belongs to one entry is brought together by grouping and
# never by joining: nobody has statistics of what stands here, and a join that is taken for small is quadratic.
_COUNT = """
    ranked AS (
        SELECT j.*, CASE WHEN j.limit_rounds IS NOT NULL
                         THEN row_number() OVER (PARTITION BY j.entry_id ORDER BY j.number) END AS nth
          FROM judged j
         WHERE j.entry_id IS NOT NULL AND j.rated
    ), counted AS MATERIALIZED (
        SELECT k.*, max(worth) OVER w AS top, max(occurred_at) OVER w AS latest
          FROM ranked k WHERE limit_rounds IS NULL OR used + nth <= limit_rounds
        WINDOW w AS (PARTITION BY entry_id)
    ), chain AS (
        SELECT c.entry_id, c.tournament_id, c.span, c.occurred_at, c.worth, true AS fresh,
               row_number() OVER (PARTITION BY c.entry_id ORDER BY c.occurred_at, c.number) AS place
          FROM counted c WHERE c.span IS NOT NULL
        {tails}
    ), summed AS (
        SELECT entry_id, tournament_id, span, occurred_at, fresh, worth, sum(worth) OVER w AS upto,
               row_number() OVER w AS nth, count(*) OVER (PARTITION BY entry_id) AS many
          FROM chain WINDOW w AS (PARTITION BY entry_id ORDER BY place)
    ), stretch AS (
        SELECT *, CASE WHEN nth >= span AND fresh THEN upto - COALESCE(lag(upto, span) OVER w, 0) END AS run
          FROM summed WINDOW w AS (PARTITION BY entry_id ORDER BY nth)
    ), streak AS (
        SELECT entry_id, tournament_id,
               COALESCE(array_agg(worth ORDER BY nth) FILTER (WHERE nth > many - span + 1), '{{}}') AS tail,
               max(run) AS best, min(occurred_at) FILTER (WHERE run = top) AS best_at
          FROM (SELECT *, max(run) OVER (PARTITION BY entry_id) AS top FROM stretch) t
         GROUP BY 1, 2
    ), grouped AS (
        SELECT entry_id, tournament_id, count(*) AS rounds, sum(worth) AS total, sum(weight) AS weight,
               max(number) AS arrived, max(occurred_at) FILTER (WHERE worth > 0 OR weight > 0) AS moved_at,
               max(top) FILTER (WHERE method = 'BEST_MULTIPLIER') AS best,
               min(occurred_at) FILTER (WHERE worth = top AND method = 'BEST_MULTIPLIER') AS best_at,
               max(latest) AS newest_at, max(number) FILTER (WHERE occurred_at = latest) AS newest,
               (array_agg(currency ORDER BY number DESC) FILTER (WHERE occurred_at = latest))[1] AS currency,
               (array_agg(game_id ORDER BY number DESC) FILTER (WHERE occurred_at = latest))[1] AS game_id
          FROM counted GROUP BY 1, 2
    ), news AS (
        SELECT entry_id, tournament_id, max(rounds) AS rounds, max(total) AS total, max(weight) AS weight,
               max(arrived) AS arrived, max(moved_at) AS moved_at, max(best) AS best, max(best_at) AS best_at,
               max(newest_at) AS newest_at, max(newest) AS newest, max(currency) AS currency, max(game_id) AS game_id,
               max(tail) AS tail
          FROM (SELECT *, NULL::numeric[] AS tail FROM grouped
                 UNION ALL
                SELECT entry_id, tournament_id, NULL, NULL, NULL, NULL, NULL, best, best_at, NULL, NULL, NULL, NULL,
                       tail
                  FROM streak
                {nobody}) n
         GROUP BY 1, 2
    ), scored AS (
        UPDATE rounds_score s
           SET rounds = {s_rounds} + COALESCE(g.rounds, 0),
               total = {s_total} + COALESCE(g.total, 0),
               weight = {s_weight} + COALESCE(g.weight, 0),
               arrived = GREATEST({s_arrived}, g.arrived),
               best = GREATEST({s_best}, g.best),
               moved_at = CASE
                   WHEN u.method IN ('BEST_MULTIPLIER', 'CONSECUTIVE_ROUNDS') THEN
                       CASE WHEN g.best IS NULL OR g.best = 0 THEN {s_moved_at}
                            WHEN {s_best} IS NULL OR g.best > {s_best} THEN g.best_at
                            WHEN g.best = {s_best} THEN LEAST({s_moved_at}, g.best_at)
                            ELSE {s_moved_at} END
                   ELSE GREATEST({s_moved_at}, g.moved_at) END,
               tail = COALESCE(g.tail, {s_tail}),
               newest_at = CASE WHEN {newer} THEN g.newest_at ELSE {s_newest_at} END,
               newest = CASE WHEN {newer} THEN g.newest ELSE {s_newest} END,
               currency = CASE WHEN {newer} THEN g.currency ELSE {s_currency} END,
               game_id = CASE WHEN {newer} THEN g.game_id ELSE {s_game_id} END
          FROM news g JOIN open_rule u ON u.tournament_id = g.tournament_id
         WHERE s.entry_id = g.entry_id
        RETURNING s.entry_id, s.moved_at, s.rounds AS counted, u.tie_break AS tie,
                  LEAST({most}, round(u.factor * CASE
                      WHEN s.rounds < u.min_rounds THEN 0
                      WHEN u.method = 'ROUND_COUNT' THEN s.rounds
                      WHEN u.method IN ('BEST_MULTIPLIER', 'CONSECUTIVE_ROUNDS') THEN COALESCE(s.best, 0)
                      WHEN u.method = 'WIN_BET_RATIO' AND u.ratio = 'RATIO_OF_SUMS'
                          THEN CASE s.weight WHEN 0 THEN 0 ELSE s.total / s.weight END
                      ELSE s.total END, 12)) AS worth
    ), written AS (
        UPDATE tournaments_entry e
           SET points = n.worth, scored_at = COALESCE(n.moved_at, e.registered_at),
               tie_break = CASE n.tie
                   WHEN 'LATEST' THEN -(extract(epoch FROM COALESCE(n.moved_at, e.registered_at)) * 1000000)::bigint
                   WHEN 'FEWEST_ROUNDS' THEN n.counted ELSE 0 END,
               score_version = e.score_version + 1, changed_at = %(at)s
          FROM scored n
         WHERE e.id = n.entry_id AND e.status <> 'WITHDRAWN'
           AND (e.points <> n.worth OR n.tie = 'FEWEST_ROUNDS' OR e.scored_at <> COALESCE(n.moved_at, e.registered_at))
        RETURNING e.tournament_id, {record} AS record
    )"""


def _count(*, anew: bool) -> str:
    names = (
        "rounds", "total", "weight", "arrived", "best", "moved_at", "tail", "newest_at", "newest", "currency", "game_id"
    )  # fmt: skip
    nothing = dict.fromkeys(names, "NULL::bigint") | {
        "rounds": "0",
        "total": "0",
        "weight": "0",
        "best": "NULL::numeric",
        "moved_at": "NULL::timestamptz",
        "newest_at": "NULL::timestamptz",
        "tail": "'{}'::numeric[]",
        "currency": "''",
    }
    before = {f"s_{name}": nothing[name] if anew else f"s.{name}" for name in names}
    tails = """
        UNION ALL
        SELECT f.entry_id, f.tournament_id, f.span, NULL::timestamptz, v.worth, false, v.place - 1000000
          FROM (SELECT DISTINCT entry_id, tournament_id, span FROM counted WHERE span IS NOT NULL) f
          JOIN rounds_score s ON s.entry_id = f.entry_id, unnest(s.tail) WITH ORDINALITY AS v(worth, place)"""
    # Counted anew, an entry without any round comes to nothing; counted on, there is always one.
    nobody = """
                 UNION ALL
                SELECT entry_id, tournament_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
                  FROM rounds_score WHERE entry_id = ANY (%(entries)s)"""
    return _COUNT.format(
        **before,
        tails="" if anew else tails,
        nobody=nobody if anew else "",
        newer="g.newest IS NOT NULL"
        if anew
        else "(g.newest_at, g.newest) > (COALESCE(s.newest_at, '-infinity'), COALESCE(s.newest, 0))",
        record=packing.RECORD,
        most=MOST,
    )


_JUDGED = f"""u.tournament_id, u.method, u.limit_rounds, u.window AS span, r.brand_id, r.player_ref, r.number,
               r.occurred_at, r.currency, r.game_id, {_WORTH}"""

# Count on: take the oldest rounds out of the queue and add them to the scores. A round that comes too late for the
# order that its rule asks for (`askew`) has its entry counted anew afterwards.
# -> how many rounds were taken and how many watches are not among the tournaments (0, rounds, watches), those whose
# first round makes them players (1, tournament, brand, player), changed entries (2, tournament, how many, records).


def _score(which: str) -> str:
    return f"""
WITH {
        _RULES.format(
            rules=f"u.operator_id = %(operator)s AND u.tournament_id = ANY (%(tournaments)s) AND t.status IN {LIVE}"
        )
    }, taken AS (
        DELETE FROM rounds_pendinground
         WHERE ctid = ANY (ARRAY(SELECT ctid FROM rounds_pendinground WHERE operator_id = %(operator)s {which}))
        RETURNING number, received_at
    ), told AS MATERIALIZED (
        SELECT r.* FROM taken p JOIN rounds_round r ON r.received_at = p.received_at AND r.number = p.number
         WHERE NOT EXISTS (SELECT FROM rounds_voidedround v WHERE v.number = r.number)
    ), {_RATES}, wanted AS MATERIALIZED (
        SELECT g.game_id, u.*
          FROM (SELECT DISTINCT game_id FROM told) g
          JOIN rounds_watchedgame w ON w.game_id = g.game_id
          JOIN open_rule u ON u.tournament_id = w.watch_id
    ), judged AS MATERIALIZED (
        SELECT {_JUDGED}, s.entry_id, s.rounds AS used,
               COALESCE(u.limit_rounds IS NOT NULL AND r.number < s.arrived
                   OR u.window IS NOT NULL AND (r.occurred_at, r.number) < (s.newest_at, s.newest), false) AS askew
          FROM told r
          JOIN wanted u ON u.game_id = r.game_id
          {_WITH_RATE}
          LEFT JOIN rounds_score s ON s.tournament_id = u.tournament_id AND s.brand_id = r.brand_id
                                  AND s.player_ref = r.player_ref
         WHERE {_FITS}
           AND CASE WHEN s.entry_id IS NULL THEN u.joins_by_playing
                    ELSE r.occurred_at >= s.since AND (s.until IS NULL OR r.occurred_at < s.until) END
    ), {_UNRATED}, asked AS (
        INSERT INTO rounds_recount (entry_id, operator_id)
        SELECT DISTINCT entry_id, %(operator)s FROM judged WHERE askew AND rated
        ON CONFLICT DO NOTHING
    ), {_count(anew=False)}
SELECT 2 AS kind, tournament_id, count(*), NULL::text, string_agg(record, '') FROM written GROUP BY tournament_id
 UNION ALL
SELECT 0, (SELECT count(*) FROM taken),
       (SELECT count(*) FROM rounds_watch w
         WHERE w.operator_id = %(operator)s AND NOT w.tournament_id = ANY (%(tournaments)s)), NULL, NULL
 UNION ALL
SELECT 1, n.*, NULL
  FROM (SELECT tournament_id, brand_id, player_ref FROM judged WHERE entry_id IS NULL AND rated
         GROUP BY 1, 2, 3 ORDER BY min(number)) n
"""  # noqa: S608 - our own texts


SCORE = _score("ORDER BY number LIMIT %(limit)s")
# The one round with this number and no other.
SCORE_ONE = _score("AND number = %(number)s")

# Count anew: what entries come to by all their stored rounds that have been taken out of the queue.
RECOUNT = f"""
WITH {_RULES.format(rules="u.tournament_id = ANY (%(tournaments)s)")}, told AS MATERIALIZED (
        SELECT r.*, s.entry_id, s.tournament_id
          FROM rounds_score s
          JOIN open_rule u ON u.tournament_id = s.tournament_id
          -- OFFSET keeps it one look into the index for each entry, whatever the planner thinks of the tables' sizes.
          CROSS JOIN LATERAL (
               SELECT * FROM rounds_round r
                WHERE r.brand_id = s.brand_id AND r.player_ref = s.player_ref
                  AND r.received_at >= %(since)s AND r.received_at <= %(until)s
                  AND r.operator_id = u.operator_id AND r.game_id = ANY (u.games) AND r.watched
                  AND r.occurred_at >= GREATEST(u.opens, s.since) AND (s.until IS NULL OR r.occurred_at < s.until)
               OFFSET 0) r
         WHERE s.entry_id = ANY (%(entries)s)
           AND {_IN_HAND}
    ), {_RATES}, judged AS MATERIALIZED (
        SELECT {_JUDGED}, r.entry_id, 0 AS used
          FROM told r
          JOIN open_rule u ON u.tournament_id = r.tournament_id
          {_WITH_RATE}
         WHERE {_FITS}
    ), {_count(anew=True)}
SELECT tournament_id, count(*), string_agg(record, '') FROM written GROUP BY tournament_id
"""  # noqa: S608 - our own texts

# Who would have joined by rounds that are counted already, had the tournament opened at another moment: those received
# since %(received)s whose own time is in [%(first)s, %(before)s). What has no rate yet is noted, as when it is counted.
JOINED_BEFORE = f"""
WITH {_RULES.format(rules="u.tournament_id = %(tournament)s AND u.joins_by_playing")}, told AS MATERIALIZED (
        SELECT r.*
          FROM open_rule u
          CROSS JOIN LATERAL (
               SELECT * FROM rounds_round r
                WHERE r.received_at >= GREATEST(u.since, %(received)s) AND r.operator_id = u.operator_id
                  AND r.game_id = ANY (u.games) AND r.watched
                  AND r.occurred_at >= %(first)s AND r.occurred_at < %(before)s) r
         WHERE NOT EXISTS (SELECT FROM rounds_score s WHERE s.tournament_id = u.tournament_id
                              AND s.brand_id = r.brand_id AND s.player_ref = r.player_ref)
           AND {_IN_HAND}
    ), {_RATES}, judged AS MATERIALIZED (
        SELECT {_JUDGED} FROM told r CROSS JOIN open_rule u {_WITH_RATE} WHERE {_FITS}
    ), {_UNRATED}
SELECT tournament_id, brand_id, player_ref FROM judged WHERE rated GROUP BY 1, 2, 3 ORDER BY min(number)
"""  # noqa: S608 - our own texts

# Every round of a player on the games of a tournament with what it is worth there and why it does not count.
EXPLAIN = f"""
WITH {_RULES.format(rules="u.tournament_id = %(tournament)s")}, told AS MATERIALIZED (
        SELECT r.*, s.since AS joined, s.until AS gone, s.tournament_id,
               EXISTS (SELECT FROM rounds_voidedround v WHERE v.number = r.number) AS voided,
               EXISTS (SELECT FROM rounds_pendinground p
                        WHERE p.operator_id = r.operator_id AND p.number = r.number) AS waits,
               EXISTS (SELECT FROM rounds_setasideround a
                        WHERE a.number = r.number AND a.released_at IS NULL) AS aside
          FROM rounds_score s
          JOIN open_rule u ON u.tournament_id = s.tournament_id
          JOIN rounds_round r ON r.brand_id = s.brand_id AND r.player_ref = s.player_ref
           AND r.received_at >= %(since)s AND r.operator_id = u.operator_id AND r.game_id = ANY (u.games)
         WHERE s.entry_id = %(entry)s
    ), {_RATES}, judged AS (
        SELECT r.number, r.round_id, r.occurred_at, r.bet, r.win, r.currency, u.limit_rounds, u.factor, {_WORTH},
               CASE WHEN r.voided THEN 'VOIDED'
                    WHEN NOT r.watched OR r.received_at < u.since THEN 'BEFORE_THE_TOURNAMENT'
                    WHEN r.occurred_at < u.opens OR u.opens IS NULL OR r.occurred_at >= u.ends THEN 'OUTSIDE_ITS_TIME'
                    WHEN r.received_at > u.closes THEN 'TOO_LATE'
                    WHEN r.occurred_at < r.joined THEN 'BEFORE_JOINING'
                    WHEN r.occurred_at >= r.gone THEN 'AFTER_LEAVING'
                    WHEN u.brands <> '{{}}' AND r.brand_id <> ALL (u.brands) THEN 'OTHER_BRAND'
                    WHEN r.round_type <> ALL (u.round_types) THEN 'OTHER_ROUND_TYPE'
                    WHEN u.needs_bet AND r.bet = 0 THEN 'NO_BET'
                    WHEN u.needs_rate AND r.currency <> u.base AND x.rate IS NULL THEN 'NO_EXCHANGE_RATE'
                    WHEN u.min_bet > 0 AND r.bet * {_RATE} < u.min_bet THEN 'BELOW_MINIMUM_BET'
                    WHEN r.aside THEN 'SET_ASIDE'
                    WHEN r.waits THEN 'WAITING'
               END AS reason
          FROM told r
          JOIN open_rule u ON u.tournament_id = r.tournament_id
          {_WITH_RATE}
    )
SELECT number, round_id, occurred_at, bet, win, currency, round(factor * worth, 12),
       COALESCE(reason, CASE WHEN nth > limit_rounds THEN 'BEYOND_THE_LIMIT' END)
  FROM (SELECT j.*, row_number() OVER (PARTITION BY reason IS NULL ORDER BY number) AS nth FROM judged j) k
 WHERE %(number)s::bigint IS NULL OR number = %(number)s
 ORDER BY occurred_at DESC, number DESC LIMIT %(limit)s OFFSET %(offset)s
"""  # noqa: S608 - our own texts

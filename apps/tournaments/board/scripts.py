"""What Redis runs. Each script is one moment of one board.

KEYS of every script: 1 the card (a hash: state, epoch, ...), 2 the members still in, 3 the members out (both sorted
sets of score 0, so that members sort by their bytes), 4 what is known of each entry (id -> state and member).

In and out are kept apart because most readers want only those in. A rank over everybody is one more than the members of
both sets that come before, and sorted sets count them in logarithmic time. A reader gives the width of what ranks go
by: -1 is the whole member, so that ranks are places; where ranks are shared it is the beginning that those who share
one have in common.

Versions and times are below 2^53 and so exact as Lua numbers. Lua never compares members: it would do so by locale.
"""

from apps.tournaments.board.packing import ENTRY_AT, RECORD_BYTES, VERSION_AT

# Lua counts from 1. In a record the state (1 byte) and the change (8) stand before the member, in a known value only
# the state.
_RECORD = f"""
local SIZE, MEMBER, ENTRY, VERSION = {RECORD_BYTES}, 9, {9 + ENTRY_AT}, {9 + VERSION_AT}
local KNOWN_VERSION = {2 + VERSION_AT}
"""
_KNOWN = f"local KNOWN_VERSION = {2 + VERSION_AT}\n"

# ARGV: an epoch, or "" for whatever board there is; records, no entry twice; "1" if they were just read from
# PostgreSQL, which is right even where the version is the same. -> how many were news, or -1: no such board.
PUSH = (
    _RECORD
    + """
local card = redis.call('HMGET', KEYS[1], 'epoch', 'changed', 'gone', 'known')
if not card[1] or (ARGV[1] ~= '' and ARGV[1] ~= card[1]) then return -1 end
local records, ids, n = ARGV[2], {}, 0
for at = 1, #records, SIZE do
  n = n + 1
  ids[n] = string.sub(records, at + ENTRY, at + ENTRY + 7)
end
local known = redis.call('HMGET', KEYS[4], unpack(ids))
local leave, join, learn = {i = {}, o = {}}, {i = {}, o = {}}, {}
local changed, gone, known_now, newer = tonumber(card[2]), tonumber(card[3]), tonumber(card[4]), 0
for k = 1, n do
  local at = (k - 1) * SIZE + 1
  local old = known[k]
  local state = string.sub(records, at, at)
  local member = string.sub(records, at + MEMBER, at + SIZE - 1)
  local ahead = 1
  if old then ahead = struct.unpack('>I8', records, at + VERSION) - struct.unpack('>I8', old, KNOWN_VERSION) end
  if ahead > 0 or (ahead == 0 and ARGV[3] == '1' and old ~= state .. member) then
    newer = newer + 1
    if old then
      local was = string.sub(old, 1, 1)
      if was == 'w' then gone = gone - 1 else table.insert(leave[was], string.sub(old, 2)) end
    else
      known_now = known_now + 1
    end
    if state == 'w' then
      gone = gone + 1
    else
      table.insert(join[state], '0')
      table.insert(join[state], member)
    end
    table.insert(learn, ids[k])
    table.insert(learn, state .. member)
    changed = math.max(changed, struct.unpack('>I8', records, at + 1))
  end
end
if newer == 0 then return 0 end
for state, key in pairs({i = KEYS[2], o = KEYS[3]}) do
  if #leave[state] > 0 then redis.call('ZREM', key, unpack(leave[state])) end
  if #join[state] > 0 then redis.call('ZADD', key, unpack(join[state])) end
end
redis.call('HSET', KEYS[4], unpack(learn))
redis.call('HSET', KEYS[1], 'changed', string.format('%.0f', changed), 'gone', gone, 'known', known_now)
redis.call('HINCRBY', KEYS[1], 'news', 1)
return newer
"""
)

# Every part of a board has to be there: a Redis that evicts takes whole keys, and takes them one by one.
_WHOLE = """
local function whole(gone, known)
  return known and redis.call('HLEN', KEYS[4]) == tonumber(known)
    and redis.call('ZCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) + gone == tonumber(known)
end
"""

# What a reader asks first. ARGV[1]: how old the last look of the sweep may be. Leaves `card`, or returns in one word
# why the board can't answer.
_CHECK = (
    _WHOLE
    + """
local card = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'changed', 'gone', 'checked', 'read', 'known')
if card[1] ~= 'ready' then return {card[1] or 'missing'} end
if not whole(card[4], card[7]) then return {'broken'} end
local ins, outs = redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
if now - card[5] > tonumber(ARGV[1]) then return {'late'} end
if now - card[6] > 60 then redis.call('HSET', KEYS[1], 'read', now) end
local function before(key, member) return redis.call('ZLEXCOUNT', key, '-', '(' .. member) end
local function rank(member, width)
  local part = string.sub(member, 1, width)
  return before(KEYS[2], part) + before(KEYS[3], part) + 1
end
"""
)

# The part of the whole ranking from `offset`: some of those in and some of those out, in order each; the caller merges.
# The first one in at or behind `offset` is found by halving; those before it are in, and the rest before `offset` out.
# Only the first one's rank has to be counted where ranks are shared: the others' follow from the order.
_EVERYBODY = """
local function everybody(offset, limit, width)
  local low, high = 0, ins
  if outs == 0 then low = math.min(offset, ins) else
    while low < high do
      local middle = math.floor((low + high) / 2)
      local member = redis.call('ZRANGE', KEYS[2], middle, middle)[1]
      if middle + before(KEYS[3], member) < offset then low = middle + 1 else high = middle end
    end
  end
  local skip, first = offset - low, offset + 1
  if width > 0 and offset > 0 and offset < ins + outs then
    local head = redis.call('ZRANGE', KEYS[2], low, low)[1]
    if not head or low + before(KEYS[3], head) > offset then head = redis.call('ZRANGE', KEYS[3], skip, skip)[1] end
    first = rank(head, width)
  end
  return {'ready', card[2], card[3], ins + outs, offset,
    table.concat(redis.call('ZRANGE', KEYS[2], low, low + limit - 1)),
    table.concat(redis.call('ZRANGE', KEYS[3], skip, skip + limit - 1)), limit, first}
end
"""

# ARGV: trust, offset, limit (1 or more), "1" for everybody or "0" for those in, width.
# -> 'ready', epoch, changed, total, offset, members in, members out, then for everybody how many of them all to show,
# and for those in how many out come before each (8 bytes a number; empty: none do), then the rank of the first shown,
# where ranks are shared. Few long strings, because a client takes its time over each value of an answer.
PAGE = (
    _CHECK
    + _EVERYBODY
    + """
local offset, limit, width = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
if ARGV[4] == '1' then return everybody(offset, limit, width) end
local members = redis.call('ZRANGE', KEYS[2], offset, offset + limit - 1)
local ahead = {}
if outs > 0 then
  for k, member in ipairs(members) do ahead[k] = struct.pack('>I8', before(KEYS[3], string.sub(member, 1, width))) end
end
local first = 0
if width > 0 and members[1] then first = rank(members[1], width) end
return {'ready', card[2], card[3], ins, offset, table.concat(members), '', table.concat(ahead), first}
"""
)

# ARGV: trust, entry id, version, how many on each side, width. -> like PAGE for everybody, or 'absent'
AROUND = (
    _CHECK
    + _EVERYBODY
    + _KNOWN
    + """
local value = redis.call('HGET', KEYS[4], ARGV[2])
if not value or string.sub(value, 1, 1) == 'w'
  or struct.unpack('>I8', value, KNOWN_VERSION) < struct.unpack('>I8', ARGV[3]) then return {'absent'} end
local place = rank(string.sub(value, 2), -1) - 1
local first = math.max(0, place - tonumber(ARGV[4]))
return everybody(first, place + tonumber(ARGV[4]) - first + 1, tonumber(ARGV[5]))
"""
)

# ARGV: trust, entry ids, their versions (8 bytes each), width. -> 'ready', then a rank from 1 for each, or 0: not known
# as of that version.
RANKS = (
    _CHECK
    + _KNOWN
    + """
local ids, answer = {}, {'ready'}
for at = 1, #ARGV[2], 8 do table.insert(ids, string.sub(ARGV[2], at, at + 7)) end
for k, value in ipairs(redis.call('HMGET', KEYS[4], unpack(ids))) do
  answer[k + 1] = 0
  if value and string.sub(value, 1, 1) ~= 'w'
    and struct.unpack('>I8', value, KNOWN_VERSION) >= struct.unpack('>I8', ARGV[3], 8 * k - 7) then
    answer[k + 1] = rank(string.sub(value, 2), tonumber(ARGV[4]))
  end
end
return answer
"""
)

# Start filling. ARGV: a new epoch, what it is filled through (microseconds), how long a silent filler counts as alive,
# seconds until a forgotten board goes. -> 'new', or 'ready' and its epoch (verify that one), or 'busy'.
BEGIN = (
    _WHOLE
    + """
local card = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'gone', 'known', 'pulse')
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
if card[5] and now - card[5] < tonumber(ARGV[3]) then return {'busy'} end
if card[1] == 'ready' and whole(card[3], card[4]) then
  redis.call('HSET', KEYS[1], 'pulse', now)
  return {'ready', card[2]}
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
redis.call('HSET', KEYS[1], 'state', 'building', 'epoch', ARGV[1], 'changed', 0, 'gone', 0, 'known', 0,
  'through', ARGV[2], 'checked', now, 'verified', now, 'read', now, 'pulse', now)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {'new', ARGV[1]}
"""
)

# ARGV: epoch. -> 1 while this is still the board that the caller fills.
PULSE = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], 'pulse', clock[1] + clock[2] / 1000000)
return 1
"""

# ARGV: epoch, how many entries were read, seconds until a forgotten board goes. -> 1, or 0: lost meanwhile.
FINISH = (
    _WHOLE
    + """
local card = redis.call('HMGET', KEYS[1], 'epoch', 'gone', 'known')
if card[1] ~= ARGV[1] then return 0 end
if not whole(card[2], card[3]) or tonumber(card[3]) < tonumber(ARGV[2]) then
  redis.call('UNLINK', unpack(KEYS))
  return 0
end
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], 'state', 'ready', 'verified', clock[1] + clock[2] / 1000000)
redis.call('HDEL', KEYS[1], 'pulse')
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[3]) end
return 1
"""
)

# What the sweep asks. -> state, epoch, through (microseconds), Redis's time, and the seconds since it was read, since
# it was verified and since whoever fills it gave a sign of life.
LOOK = (
    _WHOLE
    + """
local card = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'through', 'read', 'verified', 'gone', 'known', 'pulse')
if not card[1] then return {'missing'} end
if not whole(card[6], card[7]) then return {'broken'} end
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
return {card[1], card[2], card[3], tostring(now), math.floor(now - card[4]), math.floor(now - card[5]),
  math.floor(now - (card[8] or now))}
"""
)

# ARGV: ids and versions, 8 bytes each. -> the ids, joined, of which the board knows less.
BEHIND = (
    _KNOWN
    + """
local ids, behind = {}, {}
for at = 1, #ARGV[1], 8 do table.insert(ids, string.sub(ARGV[1], at, at + 7)) end
for k, value in ipairs(redis.call('HMGET', KEYS[4], unpack(ids))) do
  if not value or struct.unpack('>I8', value, KNOWN_VERSION) < struct.unpack('>I8', ARGV[2], 8 * k - 7) then
    table.insert(behind, ids[k])
  end
end
return table.concat(behind)
"""
)

# The sweep is through. ARGV: epoch, through, the time it began by Redis's clock, seconds until a forgotten board goes.
SWEPT = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'through', ARGV[2], 'checked', ARGV[3])
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[4]) end
return 1
"""

"""The scripts that write to Redis; each is atomic."""

from typing import Final

APPLY: Final = """
-- KEYS: meta, index, window. ARGV: generation, window start, index member, kept windows,
-- window ms, ttl seconds, then value, revision, text of each row in one, a NUL between any two.
-- Reply: rows set.
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return redis.error_reply('COLD') end
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest_window_start'))
local start = tonumber(ARGV[2])
if newest and start <= newest - tonumber(ARGV[4]) * tonumber(ARGV[5]) then return 0 end
local values, revisions, texts = {}, {}, {}
for value, revision, text in string.gmatch(ARGV[7], '([^%z]+)%z([^%z]+)%z([^%z]+)') do
  values[#values + 1] = value
  revisions[#values] = tonumber(revision)
  texts[#values] = text
end
local held = redis.call('HMGET', KEYS[3], unpack(values))
local fields = {}
for i, value in ipairs(values) do
  local revision = held[i] and tonumber(string.match(held[i], '^(%d+),')) or -1
  if revision < revisions[i] then
    fields[#fields + 1] = value
    fields[#fields + 1] = texts[i]
  end
end
if #fields == 0 then return 0 end
redis.call('HSET', KEYS[3], unpack(fields))
redis.call('ZADD', KEYS[2], start, ARGV[3])
redis.call('EXPIRE', KEYS[3], ARGV[6])
return #fields / 2
"""

FORGET: Final = """
-- KEYS: index, window. ARGV: index member, values. Reply: values removed.
local gone = 0
for i = 2, #ARGV do gone = gone + redis.call('HDEL', KEYS[2], ARGV[i]) end
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('ZREM', KEYS[1], ARGV[1]) end
return gone
"""

FINISH: Final = """
-- KEYS: meta, index. ARGV: generation, newest window start or '', newest emitted at, now,
-- force, warmed, kept windows, window ms, key prefix of windows. Reply: windows let go.
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return redis.error_reply('COLD') end
local function raise(field, text)
  local held = tonumber(redis.call('HGET', KEYS[1], field))
  if not held or held < tonumber(text) then redis.call('HSET', KEYS[1], field, text) end
end
if ARGV[5] == '1' then redis.call('HDEL', KEYS[1], 'newest_window_start') end
if ARGV[2] ~= '' then raise('newest_window_start', ARGV[2]) end
raise('newest_emitted_at', ARGV[3])
redis.call('HSET', KEYS[1], 'written_at', ARGV[4])
if ARGV[6] == '1' then redis.call('HSET', KEYS[1], 'warmed_at', ARGV[4]) end
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest_window_start'))
local gone = 0
if newest then
  local last = string.format('%.0f', newest - tonumber(ARGV[7]) * tonumber(ARGV[8]))
  repeat
    local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', last, 'LIMIT', 0, 500)
    for _, member in ipairs(old) do redis.call('UNLINK', ARGV[9] .. member) end
    if #old > 0 then redis.call('ZREM', KEYS[2], unpack(old)) end
    gone = gone + #old
  until #old == 0
end
return gone
"""

"""The read scripts: one round trip for each of a dashboard's questions."""

from typing import Final

LAST_WINDOWS_SCRIPT: Final = """
-- KEYS: meta. ARGV: key prefix of the dimension, value, windows, window length in ms.
-- Reply: window start and encoded totals, alternating, oldest first, only windows with something.
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest_window_start'))
local reply = {}
if not newest then return reply end
for back = tonumber(ARGV[3]) - 1, 0, -1 do
  local start = string.format('%.0f', newest - back * tonumber(ARGV[4]))
  local text = redis.call('HGET', ARGV[1] .. start, ARGV[2])
  if text then
    reply[#reply + 1] = start
    reply[#reply + 1] = text
  end
end
return reply
"""

TOP_SCRIPT: Final = """
-- KEYS: meta. ARGV: key prefix of the dimension, n, rank by, windows, window ms, min impressions.
-- Reply: value and its five sums, repeated, best first; equals by value. Sums are exact to 2^53.
local newest = tonumber(redis.call('HGET', KEYS[1], 'newest_window_start'))
if not newest then return {} end
local measures = {impressions = 1, clicks = 2, cost = 4, revenue = 5}
local by, windows, least = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[6])
local sums, rows = {}, {}
for back = 0, windows - 1 do
  local start = string.format('%.0f', newest - back * tonumber(ARGV[5]))
  local fields = redis.call('HGETALL', ARGV[1] .. start)
  for i = 1, #fields, 2 do
    local a, b, c, d, e = string.match(fields[i + 1],
      '^%d+,(-?%d+),(-?%d+),(-?%d+),(-?%d+),(-?%d+)|')
    if not a then return redis.error_reply('LAYOUT ' .. ARGV[1] .. start) end
    local row = sums[fields[i]]
    if row then
      row[1], row[2], row[3] = row[1] + a, row[2] + b, row[3] + c
      row[4], row[5] = row[4] + d, row[5] + e
    else
      row = {tonumber(a), tonumber(b), tonumber(c), tonumber(d), tonumber(e), fields[i]}
      sums[fields[i]] = row
      rows[#rows + 1] = row
    end
  end
end
local ranked = {}
for _, row in ipairs(rows) do
  if row[1] >= least and (by ~= 'ctr' or row[1] > 0) then
    row[7] = by == 'ctr' and row[2] / row[1] or row[measures[by] or 1]
    ranked[#ranked + 1] = row
  end
end
table.sort(ranked, function(x, y)
  if x[7] ~= y[7] then return x[7] > y[7] end
  return x[6] < y[6]
end)
local reply = {}
for i = 1, math.min(tonumber(ARGV[2]), #ranked) do
  reply[#reply + 1] = ranked[i][6]
  for m = 1, 5 do reply[#reply + 1] = string.format('%.0f', ranked[i][m]) end
end
return reply
"""

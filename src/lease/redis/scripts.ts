// What is done in Redis, each as one script: nothing comes in between. Times are the server's; tokens, not times,
// say whose a lease is. All keys of a group have its name in braces, so that a cluster keeps them together.
import { createHash } from 'node:crypto';
import type { Script } from './run-script.ts';

/** In the order in which every script takes them. */
export function keysOf(group: string): readonly string[] {
  const prefix = `failover:{${group}}`;
  return ['lease', 'state', 'nodes', 'seen', 'events'].map((name) => `${prefix}:${name}`);
}

export function channelOf(group: string): string {
  return `failover:{${group}}:changes`;
}

/** The latest of what was noted stays. */
const EVENTS_KEPT = 256;

/** What a state of another version would mean is not known here. */
const PREAMBLE = `
local lease, state, nodes, seen, events = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local version = redis.call('HGET', state, 'v')
if version and version ~= '1' then
  return redis.error_reply('FAILOVER version ' .. version)
end
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function tell(channel)
  redis.call('PUBLISH', channel, '1')
end
local function note(node, action, epoch)
  local entry = cjson.encode({ node = node, action = action, epoch = epoch, at = now() })
  redis.call('LPUSH', events, entry)
  redis.call('LTRIM', events, 0, ${String(EVENTS_KEPT - 1)})
end
local function view(run)
  local of = redis.call('HMGET', state, 'epoch', 'run', 'holder', 'paused')
  local holder = (of[2] and redis.call('HGET', nodes, of[2])) or of[3] or ''
  local left = redis.call('PTTL', lease)
  local known = redis.call('HEXISTS', nodes, run)
  return { of[1] or '0', left, holder, of[4] and 1 or 0, known }
end
local function nextEpoch(floor)
  local epoch = math.max(tonumber(redis.call('HGET', state, 'epoch') or '0'), floor) + 1
  if epoch >= 9007199254740991 then
    return nil, redis.error_reply('ERR no epoch is left above ' .. floor)
  end
  local text = string.format('%.0f', epoch)
  redis.call('HSET', state, 'v', '1', 'epoch', text)
  return text
end
local function mend()
  local ttl = tonumber(redis.call('HGET', state, 'ttl') or '0')
  if ttl > 0 and redis.call('PTTL', lease) > ttl then redis.call('PEXPIRE', lease, ttl) end
end
local function server()
  local got, information = pcall(redis.call, 'INFO', 'server')
  if not got or type(information) ~= 'string' then return '', 1e9 end
  local uptime = tonumber(string.match(information, 'uptime_in_seconds:(%d+)') or '1000000000')
  return string.match(information, 'run_id:(%x+)') or '', uptime
end
`;

/**
 * Takes the lease if it is free. A server that is another one than the last, or has lost what it knew, may
 * have forgotten a lease that somebody still holds: then nobody gets it for as long as that could last.
 *
 * ARGV: channel, run, token, ttl, floor, start number, node, record.
 */
export const CLAIM: Script = script(`
local channel, run, token, node = ARGV[1], ARGV[2], ARGV[3], ARGV[7]
local ttl, floor, start = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local completed = tonumber(redis.call('HGET', state, 'completed') or '-1')
if start <= completed then return { 'completed', view(run) } end
mend()
if redis.call('EXISTS', lease) == 1 then return { 'held', view(run) } end
local id, uptime = server()
local last = redis.call('HGET', state, 'server')
if last ~= id then
  redis.call('HSET', state, 'v', '1', 'server', id)
  local known = tonumber(redis.call('HGET', state, 'epoch') or '0')
  -- The first of those seconds may have been a moment.
  if last or known > 0 or floor > 0 or (uptime - 1) * 1000 < ttl then
    -- The claimant may be the last that knows of its epoch.
    if floor > known then redis.call('HSET', state, 'epoch', ARGV[5]) end
    local longest = math.max(ttl, tonumber(redis.call('HGET', state, 'ttl') or '0'))
    redis.call('SET', lease, 'forgotten', 'PX', longest)
    redis.call('HSET', state, 'ttl', longest)
    return { 'held', view(run) }
  end
end
local epoch, full = nextEpoch(floor)
if not epoch then return full end
local previous = redis.call('HGET', state, 'node') or ''
redis.call('SET', lease, token, 'PX', ttl)
redis.call('HSET', state, 'run', run, 'node', node, 'holder', ARGV[8], 'ttl', ttl)
note(node, 'granted', epoch)
tell(channel)
return { 'granted', view(run), epoch, previous }
`);

/**
 * A server that has forgotten the lease says no: one that renews it is to be trusted from here on.
 *
 * ARGV: channel, run, token, ttl, registration's time to live. Who has the lease instead, if somebody has.
 */
export const RENEW: Script = frequent(`
local run, token, ttl = ARGV[2], ARGV[3], tonumber(ARGV[4])
local current = redis.call('GET', lease)
if current ~= token then
  local other = current and redis.call('HGET', state, 'node') or ''
  return { 0, other, 1 }
end
redis.call('PEXPIRE', lease, ttl)
local id = server()
if redis.call('HGET', state, 'server') ~= id then
  redis.call('HSET', state, 'v', '1', 'server', id)
end
redis.call('ZADD', seen, 'XX', now() + ARGV[5], run)
return { 1, '', redis.call('HEXISTS', nodes, run) }
`);

/** ARGV: channel, token, floor, node. The epoch; empty: it is not, or no more, the lease of that token. */
export const ADVANCE: Script = script(`
if redis.call('GET', lease) ~= ARGV[2] then return '' end
local epoch, full = nextEpoch(tonumber(ARGV[3]))
if not epoch then return full end
note(ARGV[4], 'advanced', epoch)
tell(ARGV[1])
return epoch
`);

/**
 * ARGV: channel, token, node. Of another token than the present one it changes nothing. It may be said again,
 * late: so it does not say that this server has forgotten nothing, as a renewal does.
 */
export const RELEASE: Script = script(`
if redis.call('GET', lease) ~= ARGV[2] then return 0 end
redis.call('DEL', lease)
note(ARGV[3], 'released', redis.call('HGET', state, 'epoch') or '0')
tell(ARGV[1])
return 1
`);

/**
 * ARGV: channel, run, registration's time to live, the highest epoch that the node knows: of a store that has lost
 * its data the nodes are what remembers, also for a newcomer that knows nothing. A lease that seems to last longer than
 * it was renewed, or held back, for is one that a clock set back has put off.
 */
export const LOOK: Script = frequent(`
redis.call('ZADD', seen, 'XX', now() + ARGV[3], ARGV[2])
if tonumber(ARGV[4]) > tonumber(redis.call('HGET', state, 'epoch') or '0') then
  redis.call('HSET', state, 'v', '1', 'epoch', ARGV[4])
end
mend()
return view(ARGV[2])
`);

/** What the record of a node has in it, and that of no other: an id needs no escapes. */
export function idIn(node: string): string {
  return `"node":"${node}"`;
}

/**
 * Registers a node, again with its start number if it has one. Those that were not seen for long go.
 *
 * ARGV: channel, run, registration's time to live, node, record, start number, what records have in them that keep
 * it out, or nothing, the run whose record does not. The record of such a one, and how long it counts as seen.
 */
export const JOIN: Script = script(`
local run, start, id, instead = ARGV[2], ARGV[6], ARGV[7], ARGV[8]
local replaced = {}
if id ~= '' then
  local at, known = now(), redis.call('HGETALL', nodes)
  for i = 1, #known, 2 do
    if known[i] ~= run and string.find(known[i + 1], id, 1, true) then
      local left = (redis.call('ZSCORE', seen, known[i]) or 0) - at
      if left > 0 and known[i] ~= instead then return { 'taken', known[i + 1], left } end
      replaced[#replaced + 1] = known[i]
    end
  end
end
for _, gone in ipairs(replaced) do
  redis.call('HDEL', nodes, gone)
  redis.call('ZREM', seen, gone)
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now(), 'LIMIT', 0, 64)) do
  redis.call('HDEL', nodes, gone)
  redis.call('ZREM', seen, gone)
end
if start == '' then
  redis.call('HSET', state, 'v', '1')
  start = string.format('%.0f', redis.call('HINCRBY', state, 'starts', 1))
  note(ARGV[4], 'joined', redis.call('HGET', state, 'epoch') or '0')
elseif tonumber(redis.call('HGET', state, 'starts') or '0') < tonumber(start) then
  redis.call('HSET', state, 'v', '1', 'starts', start)
end
redis.call('HSET', nodes, run, ARGV[5])
redis.call('ZADD', seen, now() + ARGV[3], run)
return { 'joined', start }
`);

/** ARGV: channel, run, node. */
export const LEAVE: Script = script(`
redis.call('ZREM', seen, ARGV[2])
if redis.call('HDEL', nodes, ARGV[2]) == 1 then
  note(ARGV[3], 'left', redis.call('HGET', state, 'epoch') or '0')
end
return 1
`);

/** ARGV: channel, node, epoch. Those that have started by now have nothing to do any more. */
export const COMPLETE: Script = script(`
redis.call('HSET', state, 'v', '1', 'completed', redis.call('HGET', state, 'starts') or '0')
note(ARGV[2], 'completed', ARGV[3])
tell(ARGV[1])
return 1
`);

/** ARGV: channel, node, who; empty: nobody, it goes on. */
export const PAUSE: Script = script(`
if ARGV[3] == '' then
  redis.call('HDEL', state, 'paused')
else
  redis.call('HSET', state, 'v', '1', 'paused', ARGV[3])
end
note(ARGV[2], ARGV[3] == '' and 'resumed' or 'paused', redis.call('HGET', state, 'epoch') or '0')
tell(ARGV[1])
return 1
`);

/** ARGV: channel. The records of nodes that were seen recently, and for how long each counts as seen, ms. */
export const LIST: Script = script(`
local answer, at = {}, now()
for _, run in ipairs(redis.call('ZRANGEBYSCORE', seen, '(' .. at, '+inf', 'LIMIT', 0, 1024)) do
  local record = redis.call('HGET', nodes, run)
  if record then
    answer[#answer + 1] = { record, redis.call('ZSCORE', seen, run) - at }
  end
end
return answer
`);

/** ARGV: channel, how many. The latest first. */
export const EVENTS: Script = script(`return redis.call('LRANGE', events, 0, ARGV[2] - 1)`);

function script(body: string): Script {
  return { text: `${PREAMBLE}${body}`, sha1: null };
}

/** A script that is run several times a second. */
function frequent(body: string): Script {
  const { text } = script(body);
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

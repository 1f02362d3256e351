// What is done in PostgreSQL, each as one statement that says all it needs: no session is taken to be the same as
// before, since a pooler may stand in between. Times are the server's; tokens, not times, say whose a lease is.
import { createHash } from 'node:crypto';

export type Sql = string;

/** Waiters of a group listen to it; hashed, as names of channels are shorter than those of groups may be. */
export function channelOf(group: string): string {
  return `failover_${createHash('sha256').update(group).digest('hex').slice(0, 32)}`;
}

/** The latest of what was noted stays, in so many rows that are written again and again. */
const EVENTS_KEPT = 256;

/** Nodes that were not seen for long go, a few with each that comes. */
const GONE_AT_ONCE = 64;

/** How often a node that looks leaves a sign of life: one row is written then. */
export const SEEN_EVERY_MS = 1_000;
const SEEN_EVERY = `interval '${String(SEEN_EVERY_MS)} milliseconds'`;

/** What no node has as its token: a lease that may have been forgotten is nobody's. */
const FORGOTTEN = `'forgotten'`;

/**
 * Done once, as one transaction. Two that do it at once: one of them fails, and finds the tables then.
 * What is known of nodes is written again by them, and needs no log. What a crash takes of the others, it takes of
 * `remembered` as well, all of it.
 */
export const CREATE: Sql = `
DO $$ BEGIN
  IF to_regnamespace('failover') IS NULL THEN CREATE SCHEMA failover; END IF;
END $$;
CREATE TABLE IF NOT EXISTS failover.leases (
  group_name text PRIMARY KEY,
  v integer NOT NULL DEFAULT 1,
  epoch bigint NOT NULL DEFAULT 0 CHECK (epoch BETWEEN 0 AND ${String(Number.MAX_SAFE_INTEGER - 1)}),
  token text,
  expires_at timestamptz,
  ttl_ms bigint NOT NULL DEFAULT 0,
  server timestamptz,
  run text,
  node text,
  previous text,
  holder text,
  paused text,
  starts bigint NOT NULL DEFAULT 0,
  completed bigint NOT NULL DEFAULT -1,
  noted bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE UNLOGGED TABLE IF NOT EXISTS failover.nodes (
  group_name text NOT NULL,
  run text NOT NULL,
  record text NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (group_name, run)
) WITH (fillfactor = 50);
CREATE UNLOGGED TABLE IF NOT EXISTS failover.ids (
  group_name text NOT NULL,
  node text NOT NULL,
  run text NOT NULL,
  given_at timestamptz NOT NULL,
  PRIMARY KEY (group_name, node)
);
CREATE UNLOGGED TABLE IF NOT EXISTS failover.remembered (
  group_name text PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS failover.events (
  group_name text NOT NULL,
  slot integer NOT NULL,
  number bigint NOT NULL,
  node text NOT NULL,
  action text NOT NULL,
  epoch bigint NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (group_name, slot)
) WITH (fillfactor = 50);
`;

/** What must not be forgotten once it was answered, whatever the server is set to. */
const DURABLE = begun(
  `CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
    ELSE current_setting('synchronous_commit') END`,
);

/** What is written again soon: no disk is waited for. */
const PASSING = begun(`'off'`);

/** Begins a transaction with settings of its own, as a session may not be the same as before. */
function begun(synchronousCommit: string): string {
  return `begun AS MATERIALIZED (
  SELECT clock_timestamp() AS at, pg_postmaster_start_time() AS server,
    set_config('synchronous_commit', ${synchronousCommit}, true) AS synchronous_commit
)`;
}

/** `from`: a part of the statement with `noted` and `epoch`. */
function note(from: string, node: string, action: string, epoch = `${from}.epoch`): string {
  return `note AS (
  INSERT INTO failover.events AS e (group_name, slot, number, node, action, epoch, at)
  SELECT $1, noted % ${String(EVENTS_KEPT)}, noted, ${node}, ${action}, ${epoch}, begun.at
  FROM ${from}, begun
  ON CONFLICT (group_name, slot) DO UPDATE SET number = excluded.number, node = excluded.node,
    action = excluded.action, epoch = excluded.epoch, at = excluded.at
)`;
}

const SEEN = `seen AS (
  UPDATE failover.nodes AS n SET seen_at = begun.at FROM begun
  WHERE n.group_name = $1 AND n.run = $2
    AND n.seen_at NOT BETWEEN begun.at - ${SEEN_EVERY} AND begun.at
)`;

const IS_KNOWN = `EXISTS (SELECT FROM failover.nodes AS n WHERE n.group_name = $1 AND n.run = $2)`;

const IS_FREE = `(l.token IS NULL OR l.expires_at <= begun.at)`;

const IS_OF_TOKEN = `l.group_name = $1 AND l.token = $3 AND l.expires_at > begun.at`;

function interval(parameter: string): string {
  return `(${parameter}::float8 * interval '1 millisecond')`;
}

/** After a crash of one of its processes a server goes on as the same one: without the latest renewals, and this. */
const IS_REMEMBERED = `EXISTS (SELECT FROM failover.remembered AS r WHERE r.group_name = $1)`;

/** `from`: a part of the statement that has a row where the lease was written. */
function remember(from: string): string {
  return `remembered AS (
  INSERT INTO failover.remembered (group_name) SELECT $1 FROM ${from} WHERE NOT ${IS_REMEMBERED}
  ON CONFLICT DO NOTHING
)`;
}

/**
 * A server that is another one than the last that was written to, was just started and knows nothing, or has lost what
 * it had not yet written, may have forgotten a lease that somebody still holds: then nobody gets it for as long as that
 * could last.
 */
const IS_HELD_BACK = `(l.server IS DISTINCT FROM begun.server AND (l.server IS NOT NULL
    OR l.epoch > 0 OR $5::bigint > 0 OR begun.at - begun.server <= ${interval('$4')})
  OR l.server IS NOT NULL AND NOT ${IS_REMEMBERED})`;

function unlessHeldBack(granted: string, heldBack: string): string {
  return `CASE WHEN ${IS_HELD_BACK} THEN ${heldBack} ELSE ${granted} END`;
}

const LASTS_MS = unlessHeldBack('$4::bigint', 'greatest($4::bigint, l.ttl_ms)');

/**
 * Takes the lease if it is free. No row: it is not. $1 group, $2 run, $3 token, $4 ttl, $5 floor, $6 start, $7 node,
 * $8 record, $9 channel.
 */
export const CLAIM: Sql = `
WITH ${DURABLE}, claimed AS (
  UPDATE failover.leases AS l SET
    server = begun.server,
    token = ${unlessHeldBack('$3', FORGOTTEN)},
    expires_at = begun.at + ${interval(LASTS_MS)},
    ttl_ms = ${LASTS_MS},
    epoch = ${unlessHeldBack('greatest(l.epoch, $5::bigint) + 1', 'greatest(l.epoch, $5::bigint)')},
    run = ${unlessHeldBack('$2', 'l.run')},
    node = ${unlessHeldBack('$7', 'l.node')},
    previous = ${unlessHeldBack('l.node', 'l.previous')},
    holder = ${unlessHeldBack('$8', 'l.holder')},
    noted = l.noted + ${unlessHeldBack('1', '0')}
  FROM begun
  WHERE l.group_name = $1 AND l.v = 1 AND ${IS_FREE} AND l.completed < $6::bigint
  RETURNING l.epoch, l.previous, l.noted, l.token, l.paused
), ${remember('claimed')}, granted AS (
  SELECT * FROM claimed WHERE token = $3
), ${note('granted', '$7', `'granted'`)}
SELECT epoch, previous, paused IS NOT NULL, ${IS_KNOWN}, pg_notify($9, '') FROM granted`;

/** $1 group, $2 run, $3 token, $4 ttl. Whether it is ours, who has it instead, whether the node is known. */
export const RENEW: Sql = `
WITH ${PASSING}, ${SEEN}, renewed AS (
  UPDATE failover.leases AS l SET expires_at = begun.at + ${interval('$4')}, ttl_ms = $4::bigint,
    server = begun.server
  FROM begun WHERE ${IS_OF_TOKEN} RETURNING l.epoch
), ${remember('renewed')}
SELECT EXISTS (SELECT FROM renewed), (
  SELECT l.node FROM failover.leases AS l, begun
  WHERE l.group_name = $1 AND l.token NOT IN ($3, ${FORGOTTEN}) AND l.expires_at > begun.at
), ${IS_KNOWN}`;

/** $1 group, $2 node, $3 token, $4 floor, $5 channel. No row: it is not, or no more, the lease of that token. */
export const ADVANCE: Sql = `
WITH ${DURABLE}, advanced AS (
  UPDATE failover.leases AS l SET epoch = greatest(l.epoch, $4::bigint) + 1, noted = l.noted + 1
  FROM begun WHERE ${IS_OF_TOKEN} RETURNING l.epoch, l.noted
), ${note('advanced', '$2', `'advanced'`)}
SELECT epoch, pg_notify($5, '') FROM advanced`;

/**
 * $1 group, $2 node, $3 token, $4 channel. Of another token than the present one it changes nothing. It may be said
 * again, late: so it does not say that this server has forgotten nothing, as a renewal does.
 */
export const RELEASE: Sql = `
WITH ${DURABLE}, released AS (
  UPDATE failover.leases AS l SET token = NULL, expires_at = NULL,
    noted = l.noted + 1
  WHERE l.group_name = $1 AND l.token = $3 RETURNING l.epoch, l.noted
), ${note('released', '$2', `'released'`)}
SELECT pg_notify($4, '') FROM released`;

/** Asked anew where the row had to be waited for: a renewal may have come in between. */
const RENEWED_NOW = `clock_timestamp() + ${interval('l.ttl_ms')}`;

/** A lease that seems to last longer than it was renewed, or held back, for: the server's clock was set back. */
const IS_PUT_OFF = `(l.ttl_ms > 0 AND l.expires_at > ${RENEWED_NOW})`;

/** $1 group, $2 run, $3 the highest epoch that the node knows. Without a row for the group all but one is null. */
export const LOOK: Sql = `
WITH ${PASSING}, ${SEEN}, mended AS (
  UPDATE failover.leases AS l SET
    epoch = greatest(l.epoch, $3::bigint),
    expires_at = CASE WHEN ${IS_PUT_OFF} THEN ${RENEWED_NOW} ELSE l.expires_at END
  WHERE l.group_name = $1 AND l.v = 1 AND (l.epoch < $3::bigint OR ${IS_PUT_OFF})
)
SELECT l.v, greatest(l.epoch, $3::bigint),
  CASE WHEN l.token IS NOT NULL THEN extract(epoch FROM l.expires_at - begun.at) * 1000 END,
  coalesce(n.record, l.holder), l.paused IS NOT NULL, ${IS_KNOWN}, l.completed
FROM begun LEFT JOIN failover.leases AS l ON l.group_name = $1
  LEFT JOIN failover.nodes AS n ON n.group_name = $1 AND n.run = l.run`;

/** What the record of that node has in it, and that of no other: an id needs no escapes. */
const IS_OF_ID = `(n.run <> $2 AND position('"node":"' || $4 || '"' IN n.record) > 0)`;

/**
 * Registers a node, again with its start if it has one. $1 group, $2 run, $3 the registration's time to live, $4 node,
 * $5 record, $6 start, $7 the highest epoch that it knows, $8 whether it has to be the only one of its id, $9 the run
 * that is replaced. Whether it is; its start, null: the data are of another version; who else has the id, seen when.
 *
 * A statement that has waited for another still sees the nodes of before: so an id that was given recently is taken,
 * whether its node is seen or not.
 */
export const JOIN: Sql = `
WITH ${DURABLE}, named AS (
  INSERT INTO failover.ids AS i (group_name, node, run, given_at)
  SELECT $1, $4, $2, begun.at FROM begun WHERE $8::boolean
  ON CONFLICT (group_name, node) DO UPDATE SET run = excluded.run, given_at = excluded.given_at
  WHERE i.run = excluded.run OR i.run = $9::text
    OR i.given_at < excluded.given_at - ${interval('$3')} AND NOT EXISTS (
      SELECT FROM failover.nodes AS n WHERE n.group_name = i.group_name AND n.run = i.run
        AND n.seen_at > excluded.given_at - ${interval('$3')}
    )
  RETURNING i.run
), free AS (
  SELECT NOT $8::boolean OR EXISTS (SELECT FROM named) AS is_free FROM begun
), gone AS (
  DELETE FROM failover.nodes AS n USING (
    SELECT n.group_name, n.run FROM failover.nodes AS n, begun
    WHERE n.group_name = $1 AND n.run <> $2 AND n.seen_at < begun.at - ${interval('$3')}
      AND NOT ${IS_OF_ID}
    LIMIT ${String(GONE_AT_ONCE)} FOR UPDATE OF n SKIP LOCKED
  ) AS old WHERE n.group_name = old.group_name AND n.run = old.run
  RETURNING n.group_name, n.run
), unnamed AS (
  DELETE FROM failover.ids AS i USING gone WHERE i.group_name = gone.group_name AND i.run = gone.run
), replaced AS (
  DELETE FROM failover.nodes AS n USING free
  WHERE n.group_name = $1 AND $8::boolean AND free.is_free AND ${IS_OF_ID}
), counted AS (
  INSERT INTO failover.leases AS l (group_name, epoch, starts, noted)
  SELECT $1, $7::bigint, coalesce($6::bigint, 1), 1 FROM free WHERE free.is_free
  ON CONFLICT (group_name) DO UPDATE SET
    epoch = greatest(l.epoch, $7::bigint),
    starts = CASE WHEN $6::bigint IS NULL THEN l.starts + 1 ELSE greatest(l.starts, $6::bigint) END,
    noted = l.noted + CASE WHEN $6::bigint IS NULL THEN 1 ELSE 0 END
  WHERE l.v = 1
  RETURNING l.starts, l.epoch, l.noted
), present AS (
  INSERT INTO failover.nodes AS n (group_name, run, record, seen_at)
  SELECT $1, $2, $5, begun.at FROM counted, begun
  ON CONFLICT (group_name, run) DO UPDATE SET record = excluded.record, seen_at = excluded.seen_at
), fresh AS (
  SELECT * FROM counted WHERE $6::bigint IS NULL
), ${note('fresh', '$4', `'joined'`)}
SELECT free.is_free, (SELECT coalesce($6::bigint, starts) FROM counted), n.record,
  extract(epoch FROM begun.at - n.seen_at) * 1000
FROM begun CROSS JOIN free
  LEFT JOIN failover.ids AS i ON NOT free.is_free AND i.group_name = $1 AND i.node = $4
  LEFT JOIN failover.nodes AS n ON n.group_name = $1 AND n.run = i.run`;

/** $1 group, $2 run, $3 node. */
export const LEAVE: Sql = `
WITH ${DURABLE}, gone AS (
  DELETE FROM failover.nodes WHERE group_name = $1 AND run = $2 RETURNING run
), unnamed AS (
  DELETE FROM failover.ids WHERE group_name = $1 AND node = $3 AND run = $2
), counted AS (
  UPDATE failover.leases AS l SET noted = l.noted + 1
  WHERE l.group_name = $1 AND EXISTS (SELECT FROM gone) RETURNING l.epoch, l.noted
), ${note('counted', '$3', `'left'`)}
SELECT FROM begun`;

/** $1 group, $2 node, $3 epoch, $4 channel. Those that have started by now have nothing to do any more. */
export const COMPLETE: Sql = `
WITH ${DURABLE}, counted AS (
  UPDATE failover.leases AS l SET completed = l.starts, noted = l.noted + 1
  WHERE l.group_name = $1 RETURNING l.noted
), ${note('counted', '$2', `'completed'`, '$3::bigint')}
SELECT pg_notify($4, '') FROM counted, begun`;

/** $1 group, $2 node, $3 who, null for nobody: it goes on; $4 channel. No row: the data are of another version. */
export const PAUSE: Sql = `
WITH ${DURABLE}, counted AS (
  INSERT INTO failover.leases AS l (group_name, paused, noted) VALUES ($1, $3::text, 1)
  ON CONFLICT (group_name) DO UPDATE SET paused = excluded.paused, noted = l.noted + 1
  WHERE l.v = 1 RETURNING l.epoch, l.noted
), ${note('counted', '$2', `CASE WHEN $3::text IS NULL THEN 'resumed' ELSE 'paused' END`)}
SELECT pg_notify($4, '') FROM counted, begun`;

/** $1 group, $2 the registration's time to live. The records of nodes seen recently, and how long ago, ms. */
export const LIST: Sql = `
SELECT n.record, extract(epoch FROM lately.at - n.seen_at) * 1000
FROM failover.nodes AS n, (SELECT clock_timestamp() AS at) AS lately
WHERE n.group_name = $1 AND n.seen_at > lately.at - ${interval('$2')} ORDER BY n.run LIMIT 1024`;

/** $1 group, $2 how many. The latest first. */
export const EVENTS: Sql = `
SELECT node, action, epoch, floor(extract(epoch FROM at) * 1000) FROM failover.events
WHERE group_name = $1 ORDER BY number DESC LIMIT $2::integer`;

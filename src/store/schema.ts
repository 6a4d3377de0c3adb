/**
 * The tables. One counter numbers every row that is added, whatever its table: sessions call it `key`, the others
 * `position`. So tables only grow at their end, and a number is never used twice.
 */
import type { DatabaseSync } from 'node:sqlite'

/** In the header of every database of this gateway, so that it never writes into somebody else's. */
export const applicationId = 0x67677731

/** Step n takes a database from version n to n + 1. A step that was released is never changed again. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    dialect TEXT NOT NULL,
    guest_id TEXT NOT NULL,
    conversation_id TEXT,
    external_id TEXT,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    erased_at INTEGER,
    body TEXT NOT NULL,    -- JSON of the session, without secrets and progress
    secrets BLOB           -- sealed JSON
  ) STRICT;

  -- One for each way to begin a list. They end in the key, as every index does, and are read backwards.
  CREATE INDEX sessions_by_age ON sessions (created_at);
  CREATE INDEX sessions_by_state ON sessions (state, created_at);
  CREATE INDEX sessions_by_dialect ON sessions (dialect, created_at);
  CREATE INDEX sessions_by_dialect_and_state ON sessions (dialect, state, created_at);
  CREATE INDEX sessions_by_guest ON sessions (guest_id, created_at);
  CREATE INDEX sessions_by_conversation ON sessions (conversation_id, created_at)
    WHERE conversation_id IS NOT NULL;
  CREATE INDEX sessions_by_external_id ON sessions (external_id, created_at)
    WHERE external_id IS NOT NULL;
  CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;

  -- What nearly every commit changes of a session. Small, so that busy sessions share a page.
  CREATE TABLE progress (
    session_key INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    last_ordinal INTEGER NOT NULL,
    last_activity_at INTEGER NOT NULL,
    outbound INTEGER NOT NULL,
    inbound INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    audit_position INTEGER -- of its last audit entry
  ) STRICT;

  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    session_key INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    message_id TEXT,
    ordinal INTEGER,
    actor TEXT,
    trace TEXT,
    data TEXT NOT NULL
  ) STRICT;

  CREATE TABLE messages (
    position INTEGER PRIMARY KEY,
    session_key INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL     -- JSON of what was said
  ) STRICT;
  CREATE UNIQUE INDEX messages_by_id ON messages (id, session_key);

  -- What becomes of a message on its way. Apart from the long body, which a change of status then leaves alone.
  CREATE TABLE deliveries (
    message_position INTEGER PRIMARY KEY,
    session_key INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    body TEXT NOT NULL     -- JSON of the rest of the message
  ) STRICT;
  CREATE INDEX deliveries_unsettled ON deliveries (session_key) WHERE settled = 0;

  -- What was asked under an Idempotency-Key, and apart from it, because it comes later, what was answered.
  CREATE TABLE requests (
    position INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    session_id TEXT NOT NULL,
    session_key INTEGER,   -- null when there was no such session
    message_id TEXT,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE answers (
    request_position INTEGER PRIMARY KEY,
    body TEXT NOT NULL     -- JSON of status, location and body
  ) STRICT;

  -- Who did what. The hash covers all of the entry and the hash of the one it follows; the mark, made with the store's
  -- key, says that it was written here.
  CREATE TABLE audit (
    position INTEGER PRIMARY KEY,
    number INTEGER NOT NULL, -- from 1, without gaps
    session_key INTEGER NOT NULL,
    action TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT,
    details TEXT NOT NULL, -- JSON
    follows INTEGER,       -- position of the session's entry before it
    previous BLOB,         -- hash of that one
    hash BLOB NOT NULL,
    mark BLOB NOT NULL
  ) STRICT;

  -- Sessions that were removed, and whose entries are kept; from when they go on, their tombstone.
  CREATE TABLE audited (
    session_key INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL, -- position of its last audit entry
    ended_at INTEGER,      -- null once all but the tombstone is gone
    tombstone INTEGER      -- its position
  ) STRICT;
  CREATE INDEX audited_by_end ON audited (ended_at) WHERE ended_at IS NOT NULL;

  -- Which rows of events, messages, requests and the audit belong to a session, but for the newest ones: see places.ts.
  CREATE TABLE places (
    session_key INTEGER NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (session_key, kind, number, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE bookmarks (
    reader TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    state TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tallies (
    name TEXT NOT NULL,
    slot INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (name, slot)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE notes (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // A message is in the event that told it first: JSON of what its data leaves out of the message, or says in another
  // form. Its delivery and its place name that event's position.
  `
  ALTER TABLE events ADD COLUMN besides TEXT;
  UPDATE events SET besides = (
    SELECT m.body FROM messages m WHERE m.id = events.message_id AND m.session_key = events.session_key)
  WHERE ordinal IS NOT NULL;
  CREATE TEMP TABLE moved AS
    SELECT m.position AS was, e.position AS becomes FROM messages m
    JOIN events e ON e.session_key = m.session_key AND e.ordinal = m.ordinal;
  CREATE UNIQUE INDEX temp.moved_by_position ON moved (was);
  UPDATE deliveries SET message_position = (SELECT becomes FROM moved WHERE was = message_position);
  UPDATE places SET position = (SELECT becomes FROM moved WHERE was = places.position)
  WHERE kind = 'message';
  DROP TABLE moved;
  DROP TABLE messages;
  CREATE UNIQUE INDEX messages_by_id ON events (message_id, session_key) WHERE ordinal IS NOT NULL;
  `,
  // Rows from there on, each with the next number at the next position.
  'ALTER TABLE places ADD COLUMN count INTEGER NOT NULL DEFAULT 1',
]

/** Brings the database to the newest version, all steps or none. Takes the write lock even when nothing is to do. */
export function migrate(db: DatabaseSync, steps: readonly string[] = migrations): void {
  db.exec('BEGIN EXCLUSIVE')
  try {
    const version = schemaVersion(db)
    for (const step of steps.slice(version)) db.exec(step)
    if (version < steps.length) {
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${steps.length}`)
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version)
}

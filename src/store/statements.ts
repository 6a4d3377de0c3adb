import type { DatabaseSync } from 'node:sqlite'
import { eventColumns, messageColumns, messageJoins, sessionColumns } from './rows.ts'

/** The statements of the store beside those that change sessions. */
export function prepareStatements(db: DatabaseSync) {
  return {
    session: db.prepare(`
      SELECT ${sessionColumns} FROM sessions s JOIN progress p ON p.session_key = s.key
      WHERE s.id = ?`),
    unfinished: db.prepare(`
      SELECT id FROM sessions WHERE state = 'pending'
      UNION
      SELECT s.id FROM deliveries d INDEXED BY deliveries_unsettled
      CROSS JOIN sessions s ON s.key = d.session_key WHERE d.settled = 0
      ORDER BY id`),
    message: db.prepare(`
      SELECT ${messageColumns} FROM sessions s
      CROSS JOIN events e ON e.session_key = s.key ${messageJoins}
      WHERE e.message_id = ? AND e.ordinal IS NOT NULL AND s.id = ?`),
    unsettled: db.prepare(`
      SELECT ${messageColumns} FROM sessions s
      CROSS JOIN deliveries d INDEXED BY deliveries_unsettled ON d.session_key = s.key
      CROSS JOIN events e ON e.position = d.message_position
      WHERE s.id = ? AND d.settled = 0 ORDER BY d.message_position`),
    journal: db.prepare(`
      SELECT ${eventColumns}, s.id AS session_id FROM events e CROSS JOIN sessions s ON s.key = e.session_key
      WHERE e.position > ? ORDER BY e.position LIMIT ?`),
    lastPosition: db.prepare('SELECT max(position) AS position FROM events'),
    bookmark: db.prepare('SELECT position, state FROM bookmarks WHERE reader = ?'),
    writeBookmark: db.prepare('REPLACE INTO bookmarks (reader, position, state) VALUES (?, ?, ?)'),
    removeBookmark: db.prepare('DELETE FROM bookmarks WHERE reader = ?'),
    rowsAt: {
      event: db.prepare(`
        SELECT ${eventColumns} FROM json_each(?) AS wanted CROSS JOIN events e ON e.position = wanted.value`),
      message: db.prepare(`
        SELECT ${messageColumns} FROM json_each(?) AS wanted
        CROSS JOIN events e ON e.position = wanted.value ${messageJoins}`),
    },
  }
}

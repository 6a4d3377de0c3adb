/** The least that can be called a journal: what one turn of the event loop brings is one transaction of SQLite. */
import { DatabaseSync } from 'node:sqlite'

/** Returns how to append; `written` runs once the text is in the file. */
export function openJournal(file: string): (text: string, written: () => void) => void {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  db.exec('CREATE TABLE events (position INTEGER PRIMARY KEY, type TEXT, body TEXT) STRICT')
  const insert = db.prepare('INSERT INTO events (type, body) VALUES (?, ?)')
  let waiting: { text: string; written: () => void }[] = []
  const write = () => {
    const turn = waiting
    waiting = []
    db.exec('BEGIN')
    for (const { text } of turn) {
      const { type } = JSON.parse(text) as { type: string }
      insert.run(type, text)
    }
    db.exec('COMMIT')
    for (const { written } of turn) written()
  }
  return (text, written) => {
    if (waiting.push({ text, written }) === 1) setImmediate(write)
  }
}

/**
 * A look at a database file before it is opened for writing. Whatever is wrong with it is found here, with nothing
 * changed: SQLite's own opening would already fold a pending write-ahead log into a damaged file.
 */
import { closeSync, existsSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { damaged, refusal, StoreRefused } from './refused.ts'
import { applicationId, migrations, schemaVersion } from './schema.ts'

export interface Found {
  /** There is nothing yet. */
  isNew: boolean
  /** The note that tells whether a key is the right one; undefined when it could not be read yet. */
  keyCheck: Uint8Array | undefined
}

/** Up to here every page is read, about a millisecond per MiB; beyond, damage shows when it is met. */
const checkedWholeBytes = 256 * 1024 * 1024

/** Throws StoreRefused for a file that is not a sound database of this gateway, or is in use. */
export function inspect(file: string): Found {
  try {
    return look(file)
  } catch (error) {
    throw refusal(file, error)
  }
}

function look(file: string): Found {
  const hasLog = sizeOf(`${file}-wal`) > 0
  if (sizeOf(file) === 0) {
    if (!hasLog) return { isNew: true, keyCheck: undefined }
    throw new StoreRefused(file, `it is empty or missing, but ${file}-wal holds changes to it`)
  }
  checkHeader(file)
  // The very first start was killed: SQLite takes back what it had begun, and only when it may write.
  if (sizeOf(`${file}-journal`) > 0) return { isNew: false, keyCheck: undefined }
  return hasLog ? inspectWithLog(file) : inspectAlone(file)
}

function sizeOf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found && !found.isFile()) throw new StoreRefused(file, 'it is not a file')
  return found?.size ?? 0
}

/** The first hundred bytes, as https://www.sqlite.org/fileformat.html#the_database_header has them. */
function checkHeader(file: string): void {
  const header = Buffer.alloc(100)
  const handle = openSync(file, 'r')
  try {
    readSync(handle, header, 0, header.length, 0)
  } finally {
    closeSync(handle)
  }
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw new StoreRefused(file, 'it is not a SQLite database')
  }
  if (header.readInt32BE(68) !== applicationId) {
    throw new StoreRefused(file, 'it is the database of another application')
  }
  checkVersion(file, header.readInt32BE(60))
}

function checkVersion(file: string, version: number): void {
  if (version > migrations.length) {
    const reason = `a newer gateway wrote it (schema ${version}; this one knows up to ${migrations.length})`
    throw new StoreRefused(file, reason)
  }
}

/** Without a log the file alone is the database: no lock, no file beside it. */
function inspectAlone(file: string): Found {
  return inspectThrough(file, 'immutable=1')
}

/** With a log it takes SQLite's index over both, which it leaves behind, and the lock that a running gateway holds. */
function inspectWithLog(file: string): Found {
  const index = `${file}-shm`
  const hadIndex = existsSync(index)
  try {
    return inspectThrough(file, 'mode=ro')
  } finally {
    if (!hadIndex) rmSync(index, { force: true })
  }
}

function inspectThrough(file: string, query: string): Found {
  const url = pathToFileURL(file)
  url.search = query
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(url, { readOnly: true })
    checkVersion(file, schemaVersion(db))
    checkPages(file, db)
    const note = db.prepare("SELECT value FROM notes WHERE name = 'key check'").get()
    return { isNew: false, keyCheck: note?.value as Uint8Array | undefined }
  } finally {
    db?.close()
  }
}

function checkPages(file: string, db: DatabaseSync): void {
  if (sizeOf(file) > checkedWholeBytes) return
  const verdict = String(db.prepare('PRAGMA quick_check(1)').get()?.quick_check)
  if (verdict !== 'ok') throw damaged(file, verdict.replace(/\s+/g, ' '))
}

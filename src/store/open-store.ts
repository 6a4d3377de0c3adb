/** Opens the store that the settings name, or refuses it with a reason an operator can act on. */

import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Clock, systemClock } from '../clock.ts'
import type { StoreLocation } from '../settings.ts'
import { inspect } from './inspect.ts'
import { keyFileOf, readKeyFile, readOrMakeKeyFile } from './key-file.ts'
import { refusal, StoreRefused } from './refused.ts'
import { migrate } from './schema.ts'
import { CannotUnseal, SecretBox } from './secrets.ts'
import { SqliteStore } from './sqlite.ts'
import type { Store } from './store.ts'
import type { StoreLog } from './store-log.ts'

export interface StoreConfig {
  location: StoreLocation
  /** `normal`: what is acknowledged survives the end of the process. `full`: power loss too. */
  sync: 'normal' | 'full'
  /** 32 bytes that seal guest tokens. Without them a key is kept in a file beside the database. */
  key: Buffer | undefined
  log: StoreLog
  clock?: Clock
}

/** Throws StoreRefused for a file it will not use, which is then as it was. */
export async function openStore(config: StoreConfig): Promise<Store> {
  const { location } = config
  if (location === 'memory') {
    const db = new DatabaseSync(':memory:')
    migrate(db)
    const box = new SecretBox(config.key ?? randomBytes(32))
    return new SqliteStore({ db, box, clock: config.clock ?? systemClock, log: config.log })
  }
  return openFile(path.resolve(location.slice('sqlite:'.length)), config)
}

function openFile(file: string, config: StoreConfig): Store {
  let db: DatabaseSync | undefined
  try {
    const { isNew, keyCheck } = inspect(file)
    const box = boxFor(file, config.key, isNew)
    if (keyCheck) checkKey(file, box, keyCheck, config.key)
    if (isNew) closeSync(openSync(file, 'a', 0o600))
    db = new DatabaseSync(file)
    prepare(db, config.sync)
    checkKey(file, box, keptKeyCheck(db, box), config.key)
    return new SqliteStore({ db, box, clock: config.clock ?? systemClock, log: config.log })
  } catch (error) {
    db?.close()
    throw refusal(file, error)
  }
}

function boxFor(file: string, configured: Buffer | undefined, isNew: boolean): SecretBox {
  if (isNew) mkdirSync(path.dirname(file), { recursive: true })
  return new SecretBox(configured ?? (isNew ? readOrMakeKeyFile(file) : readKeyFile(file)))
}

function prepare(db: DatabaseSync, sync: 'normal' | 'full'): void {
  db.exec(`
    PRAGMA locking_mode = EXCLUSIVE; -- until the process ends, however it ends: two gateways never share a file
    PRAGMA secure_delete = ON -- what is erased, or moved by a migration, is overwritten`)
  migrate(db)
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${sync === 'full' ? 'FULL' : 'NORMAL'};
    PRAGMA cache_size = -8192;
    PRAGMA temp_store = MEMORY`)
}

const keyCheckName = 'key check'

/** The note that tells whether a key is the right one; written now when there is none. */
function keptKeyCheck(db: DatabaseSync, box: SecretBox): Uint8Array {
  const sealed = box.seal('this is the key', keyCheckName)
  db.prepare('INSERT OR IGNORE INTO notes (name, value) VALUES (?, ?)').run(keyCheckName, sealed)
  const note = db.prepare('SELECT value FROM notes WHERE name = ?').get(keyCheckName)
  return note?.value as Uint8Array
}

function checkKey(
  file: string,
  box: SecretBox,
  sealed: Uint8Array,
  configured: Buffer | undefined,
): void {
  try {
    box.unseal(sealed, keyCheckName)
  } catch (cause) {
    if (!(cause instanceof CannotUnseal)) throw cause
    const key = configured ? 'STORE_KEY' : keyFileOf(file)
    throw new StoreRefused(file, `its secrets are sealed with another key than ${key}`, { cause })
  }
}

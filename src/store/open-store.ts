/** Opens the store that the settings name, or refuses it with a reason an operator can act on. */

import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Clock, systemClock } from '../clock.ts'
import { damaged, type Found, inspect, inUse } from './inspect.ts'
import { keyFileOf, readKeyFile, readOrMakeKeyFile } from './key-file.ts'
import { StoreRefused } from './refused.ts'
import { migrate } from './schema.ts'
import { CannotUnseal, SecretBox } from './secrets.ts'
import { SqliteStore } from './sqlite.ts'
import { isBusy, isDamage, reasonOf } from './sqlite-errors.ts'
import type { Store } from './store.ts'
import type { StoreLog } from './store-log.ts'

export interface StoreConfig {
  /** `memory` or `sqlite:PATH`. */
  location: string
  /** `normal`: what is acknowledged survives the end of the process. `full`: power loss too. */
  sync: 'normal' | 'full'
  /** 32 bytes that seal guest tokens. Without them a key is kept in a file beside the database. */
  key: Buffer | undefined
  log: StoreLog
  clock?: Clock
}

/** Throws StoreRefused for a file it will not use, which is then as it was. */
export async function openStore(config: StoreConfig): Promise<Store> {
  const { location, clock = systemClock, log } = config
  if (location === 'memory') {
    const db = new DatabaseSync(':memory:')
    migrate(db)
    const box = new SecretBox(config.key ?? randomBytes(32))
    return new SqliteStore({ db, box, clock, log })
  }
  const file = /^sqlite:(.+)$/s.exec(location)?.[1]
  if (file === undefined) {
    // Only the scheme is repeated: the rest may hold a password.
    const scheme = location.split(':')[0]
    throw new Error(`STORE is "${scheme}…"; this gateway knows "memory" and "sqlite:PATH"`)
  }
  return openFile(path.resolve(file), config)
}

function openFile(file: string, config: StoreConfig): Store {
  const { clock = systemClock, log } = config
  try {
    const found = inspect(file)
    const box = boxFor(file, config.key, found)
    const db = openDatabase(file, found.isNew, config.sync)
    keepKeyCheck(db, box)
    return new SqliteStore({ db, box, clock, log })
  } catch (error) {
    if (error instanceof StoreRefused) throw error
    throw new StoreRefused(file, reasonOf(error), { cause: error })
  }
}

function boxFor(file: string, configured: Buffer | undefined, found: Found): SecretBox {
  if (found.isNew) mkdirSync(path.dirname(file), { recursive: true })
  const key = configured ?? (found.isNew ? readOrMakeKeyFile(file) : readKeyFile(file))
  const box = new SecretBox(key)
  if (found.keyCheck === undefined || opens(box, found.keyCheck)) return box
  const which = configured ? 'STORE_KEY' : keyFileOf(file)
  throw new StoreRefused(file, `its secrets are sealed with another key than the one in ${which}`)
}

function openDatabase(file: string, isNew: boolean, sync: 'normal' | 'full'): DatabaseSync {
  if (isNew) closeSync(openSync(file, 'a', 0o600))
  const db = new DatabaseSync(file)
  try {
    // The lock is held until the end of the process, however it ends: two gateways never share a file. Of a new file
    // the pages are larger than usual, for fewer of them change in a commit.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 8192')
    migrate(db)
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${sync === 'full' ? 'FULL' : 'NORMAL'};
      PRAGMA wal_autocheckpoint = 500;
      PRAGMA cache_size = -32768;
      PRAGMA temp_store = MEMORY`)
    return db
  } catch (error) {
    db.close()
    if (isBusy(error)) throw inUse(file, error)
    if (isDamage(error)) throw damaged(file, reasonOf(error), error)
    throw error
  }
}

const keyCheck = { name: 'key check', text: 'this is the key' }

function keepKeyCheck(db: DatabaseSync, box: SecretBox): void {
  db.prepare('INSERT OR IGNORE INTO notes (name, value) VALUES (?, ?)').run(
    keyCheck.name,
    box.seal(keyCheck.text, keyCheck.name),
  )
}

function opens(box: SecretBox, sealed: Uint8Array): boolean {
  try {
    return box.unseal(sealed, keyCheck.name) === keyCheck.text
  } catch (error) {
    if (error instanceof CannotUnseal) return false
    throw error
  }
}

/**
 * The key that seals secrets when none is configured: `<database>.key`, base64, readable by its owner only. It keeps
 * tokens out of copies of the database alone, which is the most a key next to it can do.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { StoreRefused } from './refused.ts'

export function keyFileOf(file: string): string {
  return `${file}.key`
}

/** The key of an existing database. Throws StoreRefused when it is missing or is no key. */
export function readKeyFile(file: string): Buffer {
  const keyFile = keyFileOf(file)
  if (!existsSync(keyFile)) {
    const reason = `its secrets are sealed, and neither STORE_KEY is set nor is there ${keyFile}`
    throw new StoreRefused(file, reason)
  }
  const key = Buffer.from(readFileSync(keyFile, 'utf8').trim(), 'base64')
  if (key.length === 32) return key
  throw new StoreRefused(file, `${keyFile} does not hold 32 bytes in base64`)
}

/** The key for a new database: made now, unless an earlier start got that far. */
export function readOrMakeKeyFile(file: string): Buffer {
  if (existsSync(keyFileOf(file))) return readKeyFile(file)
  const key = randomBytes(32)
  const handle = openSync(keyFileOf(file), 'wx', 0o600)
  try {
    writeSync(handle, `${key.toString('base64')}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  return key
}

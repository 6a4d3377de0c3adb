/** How tests open each engine. */
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { StoreLocation } from '../../src/settings.ts'
import { openStore, type StoreConfig } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import type { OpenStore } from '../contract/store-under-test.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

export const sampleKey = Buffer.alloc(32, 7)

export interface LogLine {
  fields: object
  text: string
}

/** What the store logged. */
export function recordingLog() {
  const lines: LogLine[] = []
  const add = (fields: object, text: string) => {
    lines.push({ fields, text })
  }
  return { lines, warn: add, error: add }
}

/** Opens a store that is closed after the test. */
export async function openFor(
  t: TestContext,
  location: StoreLocation,
  over: Partial<StoreConfig> = {},
): Promise<Store> {
  const log = recordingLog()
  const store = await openStore({ location, sync: 'normal', key: sampleKey, log, ...over })
  t.after(() => store[Symbol.asyncDispose]())
  return store
}

export const openMemory: OpenStore = async (t) => ({
  store: await openFor(t, 'memory'),
  reopen: undefined,
})

export const openFile =
  (sync: 'normal' | 'full'): OpenStore =>
  async (t) => {
    const location = `sqlite:${path.join(temporaryFolder(t), 'gateway.db')}` as const
    const store = await openFor(t, location, { sync })
    const reopen = async () => {
      await store[Symbol.asyncDispose]()
      return openFor(t, location, { sync })
    }
    return { store, reopen }
  }

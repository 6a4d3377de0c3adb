import { pino } from 'pino'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'

/** The SQLite file of a gateway that has stopped. */
export function readStore(file: string): Promise<Store> {
  const log = pino({ level: 'silent' })
  return openStore({ location: `sqlite:${file}`, sync: 'normal', key: undefined, log })
}

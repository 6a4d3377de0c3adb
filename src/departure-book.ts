import type { DepartureBook } from './genesys/departures.ts'
import type { DialectName } from './sessions/session.ts'
import { storeTrouble } from './sessions/store-trouble.ts'
import type { Store } from './store/store.ts'

const purpose = 'departed'

/** The book of departures, kept in the store beside what departed. */
export async function openDepartureBook(
  store: Pick<Store, 'tallies' | 'writeTally'>,
): Promise<DepartureBook> {
  const earlier = (await store.tallies()).flatMap(({ name, slot, count }) => {
    const [kind, dialect, ...client] = name.split(' ')
    // Dialects have no spaces in their names; who reads this knows which dialects there are.
    return kind === purpose
      ? [{ client: client.join(' '), dialect: dialect as DialectName, from: slot, count }]
      : []
  })
  return {
    earlier: earlier.sort((one, other) => one.from - other.from),
    write: ({ client, dialect, from }, count, forgetBefore) =>
      store
        .writeTally({ name: `${purpose} ${dialect} ${client}`, slot: from }, count, forgetBefore)
        .catch((error: unknown) => {
          throw storeTrouble(error)
        }),
  }
}

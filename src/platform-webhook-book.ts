import type { PlatformWebhookBook, RegisteredWebhook } from './genesys/platform-webhooks.ts'
import type { Platform } from './platform.ts'
import { storeTrouble } from './sessions/store-trouble.ts'
import type { Store } from './store/store.ts'

const bookmark = 'platform webhooks'
/** The oldest go first. */
const kept = 1000

interface Entry extends RegisteredWebhook {
  platform: string
}

/** What was registered on this platform, kept in the store: sealed, because URLs may hold what receivers know us by. */
export function platformWebhookBook(
  store: Pick<Store, 'readBookmark' | 'writeBookmark' | 'seal' | 'unseal'>,
  { baseUrl, clients }: Pick<Platform, 'baseUrl' | 'clients'>,
): PlatformWebhookBook {
  // Organisations share hosts; their OAuth clients are their own.
  const platform = [baseUrl, ...clients.map(({ id }) => id).sort()].join(' ')
  const read = async (): Promise<Entry[]> => {
    const saved = await store.readBookmark(bookmark)
    return saved ? (JSON.parse(store.unseal(saved.state)) as Entry[]) : []
  }
  return {
    entries: async () => (await read()).filter((entry) => entry.platform === platform),
    add: async (webhook) => {
      const entries = [...(await read()), { ...webhook, platform }].slice(-kept)
      const state = store.seal(JSON.stringify(entries))
      await store.writeBookmark(bookmark, 0, state).catch((error: unknown) => {
        throw storeTrouble(error)
      })
    },
  }
}

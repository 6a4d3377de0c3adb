import type { Store } from './store/store.ts'

const bookmark = 'platform'

/**
 * Notes in the store which platform it is used with, and warns when that was another the last time: what its sessions
 * are there, this one does not know.
 */
export async function notePlatform(
  store: Pick<Store, 'readBookmark' | 'writeBookmark' | 'listSessions'>,
  platform: string,
  log: { warn(fields: object, text: string): void },
): Promise<void> {
  const note = await store.readBookmark(bookmark)
  const before = note && (JSON.parse(note.state) as string)
  if (before === platform) return
  const { items } = await store.listSessions({}, { limit: 1 })
  if (before !== undefined && items.length > 0) {
    log.warn(
      { platform, before },
      `the sessions in this store are of another platform, ${before}, and ${platform} does not know them: set STORE to one of its own for each`,
    )
  }
  await store.writeBookmark(bookmark, 0, JSON.stringify(platform))
}

import type { Api } from '../../support/sessions.ts'

/** What was on its way over other connections has been read: a few requests there and back. */
export async function settleDown(api: Api): Promise<void> {
  for (let round = 0; round < 3; round += 1) await api('GET', '/health/live')
}

/** Guests the platform routes for half a second to three, each with a message that waits for it from the start. */
import { median, percentile } from '../numbers.ts'
import type { Row } from '../report.ts'
import { call, text } from '../requests.ts'
import { startPlatform } from '../servers/platform.ts'
import { startGateway } from '../targets.ts'

const guests = 40
const shortestMs = 500
const longestMs = 3000
/** Spreads the delays evenly, in an order that looks random and is the same in every run. */
const goldenRatio = 0.618033988749895

interface Guest {
  activeAt: number
  /** Of the first message that was not too early. */
  reachedAt: number | undefined
}

export const activationRow: Row = {
  name: 'activation',
  async run(folder) {
    const known = new Map<string, Guest>()
    await using platform = await startPlatform(({ operation, guestId }) => {
      const now = performance.now()
      if (operation === 'create') {
        const id = `guest-${known.size}`
        const spread = (known.size * goldenRatio) % 1
        const activeAt = now + shortestMs + spread * (longestMs - shortestMs)
        known.set(id, { activeAt, reachedAt: undefined })
        return { status: 200, body: JSON.stringify({ id, conversationId: `of-${id}` }) }
      }
      const guest = known.get(guestId)
      const isActive = guest !== undefined && now >= guest.activeAt
      if (operation === 'status') {
        return { status: 200, body: JSON.stringify({ status: isActive ? 'ACTIVE' : 'ROUTING' }) }
      }
      if (!isActive) return { status: 409, body: '{"code":"guest.not.active"}' }
      guest.reachedAt ??= now
      return { status: 200, body: '{"id":"message-1"}' }
    })
    await using gateway = await startGateway({ folder, platform: platform.port })
    const url = `http://127.0.0.1:${gateway.port}/v1/sessions`
    const greet = async () => {
      const { id } = (await call('POST', url, { guest: { name: 'Ada' } })) as { id: string }
      await call('POST', `${url}/${id}/messages`, { text })
    }
    await Promise.all(Array.from({ length: guests }, greet))

    const delays = [...known.values()].map(
      ({ activeAt, reachedAt = Number.POSITIVE_INFINITY }) => reachedAt - activeAt,
    )
    const figure = { row: 'activation', unit: 'ms' }
    const what = `from active to the first message, ${delays.length} guests`
    return [
      { ...figure, measured: `${what}, median`, ours: median(delays), goal: { atMost: 150 } },
      { ...figure, measured: `${what}, slowest tenth from`, ours: percentile(delays, 0.9) },
    ]
  },
}

/**
 * GET /api/v2/webmessaging/messages?pageSize=25&pageNumber=1      Authorization: Bearer <jwt of getJwt>
 *   → { entities, pageSize, pageNumber, total, pageCount }        page 1 is the newest
 */

import type { Answer } from '../../answer.ts'
import { platformError } from '../../platform-error.ts'
import { badToken, noToken, tooManyRequests } from '../../refusals.ts'
import type { Call } from '../../surface.ts'
import type { Hub } from './hub.ts'
import type { StructuredMessage } from './structured-message.ts'

const defaultPageSize = 25
const maxPageSize = 500

export function readHistory({ world, jwts }: Hub, { headers, query, token }: Call): Answer {
  const { behaviour, time } = world
  const { historyWithOAuthStatus, historyOrder, historyTimes, limits } = behaviour.webMessaging
  if (token) {
    const text = 'Only a guest can read its messages'
    return platformError(historyWithOAuthStatus, 'not.authorized', text)
  }
  const jwt = /^bearer +(\S+)$/i.exec(String(headers.authorization ?? ''))?.[1]
  if (jwt === undefined) return noToken()
  const session = jwts.sessionOf(jwt)
  if (!session) return badToken()
  const reading = session.meters.history.count(limits.historyReadsPerSession, time.now())
  if (reading && !reading.allowed) return tooManyRequests(reading, behaviour, time.now())

  const total = session.transcript.length
  if (total === 0) return page([], 0, 1, 0)
  const pageSize = Math.min(positive(query.get('pageSize')) ?? defaultPageSize, maxPageSize)
  const pageNumber = positive(query.get('pageNumber')) ?? 1
  const end = Math.max(0, total - (pageNumber - 1) * pageSize)
  const entities = session.transcript.slice(Math.max(0, end - pageSize), end)
  if (historyOrder === 'newest-first') entities.reverse()
  return page(
    historyTimes === 'null' ? entities.map(withoutTime) : entities,
    pageSize,
    pageNumber,
    total,
  )
}

function page(
  entities: readonly StructuredMessage[],
  pageSize: number,
  pageNumber: number,
  total: number,
): Answer {
  const pageCount = pageSize === 0 ? 0 : Math.ceil(total / pageSize)
  return { status: 200, body: { entities, pageSize, pageNumber, total, pageCount } }
}

function withoutTime(message: StructuredMessage): StructuredMessage {
  return { ...message, channel: { ...message.channel, time: null } }
}

function positive(text: string | null): number | undefined {
  const number = Number(text)
  return Number.isInteger(number) && number > 0 ? number : undefined
}

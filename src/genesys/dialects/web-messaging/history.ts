/**
 * What was said while no socket was open.
 *
 *   GET /api/v2/webmessaging/messages?pageSize=25&pageNumber=1        with the JWT that `getJwt` brings
 *     -> { entities: [StructuredMessage, …], pageNumber, pageCount, total, … }        page 1 is the newest
 */
import type { JsonObject } from '../../../json.ts'
import type { StreamDialect } from '../../dialect.ts'
import { accepted } from '../answers.ts'
import { fieldsOf, numberOf } from '../fields.ts'
import { instant } from '../instants.ts'
import { jwtFrame } from './frames.ts'
import { readStructuredMessage } from './structured-message.ts'

export const history: NonNullable<StreamDialect['history']> = {
  ask: jwtFrame,
  request: (page) => ({
    operation: 'readHistory',
    method: 'GET',
    path: `/api/v2/webmessaging/messages?pageSize=25&pageNumber=${page}`,
    scopes: [],
    repeatable: true,
  }),
  response(answer) {
    const { entities, pageNumber, pageCount } = fieldsOf(answer.body)
    if (!accepted(answer) || !Array.isArray(entities)) return undefined
    const number = numberOf(pageNumber)
    const count = numberOf(pageCount)
    const counted = number !== null && count !== null
    const news = oldestFirst(entities.map(fieldsOf)).flatMap((entity) =>
      // How things stand now the session's own answer has said; an end that is told here is past.
      readStructuredMessage(entity).filter(({ kind }) => kind === 'message' || kind === 'ack'),
    )
    // A page past the last one is empty.
    return { news, more: entities.length > 0 && (!counted || number < count) }
  },
  limit: { requests: 10, windowMs: 60_000 },
}

/** By the platform's time. Its order inside a page is not documented; an entity without a time stays beside the older. */
function oldestFirst(entities: JsonObject[]): JsonObject[] {
  const timeOf = (entity: JsonObject) => instant(fieldsOf(entity.channel).time)
  const known = entities.map(timeOf).filter((time) => time !== null)
  const ascending = (known[0] ?? 0) < (known.at(-1) ?? 0)
  const ordered = ascending ? entities : entities.toReversed()
  const times = new Map<JsonObject, number>()
  let latest = 0
  for (const entity of ordered) {
    latest = timeOf(entity) ?? latest
    times.set(entity, latest)
  }
  return ordered.toSorted((a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0))
}

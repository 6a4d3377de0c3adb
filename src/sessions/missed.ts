import { GatewayError } from '../errors.ts'
import type {
  Dialect,
  HistoryLimit,
  StreamNews,
  UpstreamAnswer,
  UpstreamRequest,
} from '../genesys/dialect.ts'
import type { Json } from '../json.ts'
import type { Session } from './session.ts'

/** Asks for the guest's REST token over the stream. */
export interface HistoryAsker {
  /** It was in the journal before the stream opened again. */
  knows(upstreamId: string): boolean
  jwt(frame: Json): Promise<{ jwt: string; expiresAt: number | null }>
  /** Resolves when a page may be asked for; rejects when the connection is gone by then. */
  turn(limit: HistoryLimit): Promise<void>
}

/** A gap longer than so many pages is not filled: the platform allows few reads a minute, and its JWT ends. */
const maxPages = 40

/**
 * What was said while a session had no stream, oldest first, by the platform's own history: pages from the newest back
 * to the first one that holds something that was heard. The guest's own words show less: their acks can be down before
 * what was said earlier is, so a page with some is not the last one, unless the page after it has some too. Empty where
 * the dialect has no history. Throws when a page cannot be read.
 */
export async function readMissed(
  asker: HistoryAsker,
  session: Session,
  { stream }: Dialect,
  read: (request: UpstreamRequest, token: string) => Promise<UpstreamAnswer>,
  now: () => number,
): Promise<StreamNews[]> {
  const history = stream?.history
  if (!history) return []
  const { jwt } = await asker.jwt(history.ask(session))
  const pages: StreamNews[][] = []
  let pagesWithOwn = 0
  for (let page = 1; page <= maxPages; page++) {
    await asker.turn(history.limit)
    const reply = await read(history.request(page), jwt)
    const answer = history.response(reply, now())
    if (!answer) {
      const detail = `The platform answered ${reply.status} where its history was asked for`
      throw new GatewayError('upstream-invalid-response', detail)
    }
    pages.unshift(answer.news)
    const known = answer.news.filter((news) => isKnown(news, asker))
    if (known.length > 0) pagesWithOwn += 1
    if (!answer.more || pagesWithOwn > 1 || !known.every(isOwn)) break
  }
  return pages.flat()
}

function isKnown(news: StreamNews, asker: HistoryAsker): boolean {
  const named = news.kind === 'message' || news.kind === 'ack'
  return named && news.upstreamId !== null && asker.knows(news.upstreamId)
}

/** By what the platform keeps of it: our mark, or that the guest said it. */
function isOwn(news: StreamNews): boolean {
  return news.kind === 'ack' || (news.kind === 'message' && news.author === 'user')
}

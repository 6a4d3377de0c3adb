import type { Dialect, StreamNews, UpstreamAnswer, UpstreamRequest } from '../genesys/dialect.ts'
import type { HistoryAsker } from './bridge.ts'
import type { Session } from './session.ts'

/** A gap longer than so many pages is not filled: the platform allows few reads a minute. */
const maxPages = 4

/**
 * What was said while a session had no stream, oldest first, by the platform's own history: pages from the newest back
 * to the first one that holds something known. Empty where the dialect has no history.
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
  for (let page = 1; page <= maxPages; page++) {
    const answer = history.response(await read(history.request(page), jwt), now())
    if (!answer) break
    pages.unshift(answer.news)
    if (!answer.more || answer.news.some((news) => isKnown(news, asker))) break
  }
  return pages.flat()
}

function isKnown(news: StreamNews, asker: HistoryAsker): boolean {
  const named = news.kind === 'message' || news.kind === 'ack'
  return named && news.upstreamId !== null && asker.knows(news.upstreamId)
}

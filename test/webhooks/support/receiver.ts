/** A receiver of webhooks: a real server that takes what it gets, or does what a test says instead. */
import type { TestContext } from 'node:test'
import {
  answers,
  type Behaviour,
  startToxicUpstream,
  type ToxicUpstream,
} from '../../support/toxic-upstream.ts'
import { until } from '../../support/until.ts'
import { markMadeUp } from '../../support/wire/deliveries.ts'
import '../../support/wire/watch.ts'

export interface Taken {
  id: string
  headers: Record<string, string>
  /** As it came. */
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: JSON of two formats
  body: any
}

export interface Receiver extends ToxicUpstream {
  /** What it answered with 204, oldest first; what came twice is there twice. */
  taken: Taken[]
  takes: Behaviour
  /** Resolves once it has taken so many; returns all it has. */
  took(count: number): Promise<Taken[]>
}

interface Options {
  usually?: Behaviour
  port?: number
  /** The events are not the gateway's own, so no description holds for them. */
  isMadeUp?: boolean
}

export async function startReceiver(
  t: Pick<TestContext, 'after'>,
  { usually, port, isMadeUp = false }: Options = {},
): Promise<Receiver> {
  const taken: Taken[] = []
  const takes: Behaviour = async (request, response, seen) => {
    await answers(204)(request, response, seen)
    const headers = seen.headers as Record<string, string>
    const id = headers['webhook-id'] ?? ''
    taken.push({ id, headers, text: seen.body, body: JSON.parse(seen.body) })
  }
  const server = await startToxicUpstream(usually ?? takes, port)
  if (isMadeUp) markMadeUp(Number(new URL(server.url).port))
  t.after(() => server[Symbol.asyncDispose]())
  const took = (count: number) => until(`${count} deliveries`, () => taken.length >= count && taken)
  return { ...server, taken, takes, took }
}

/** Their places in their session, each counted where it first came. */
export function sequencesOf(taken: readonly Taken[], sessionId: string): number[] {
  return firstOfEach(taken)
    .filter(({ body }) => body.subject === sessionId)
    .map(({ body }) => body.sequence)
}

function firstOfEach(taken: readonly Taken[]): Taken[] {
  const seen = new Set<string>()
  return taken.filter(({ id }) => !seen.has(id) && seen.add(id))
}

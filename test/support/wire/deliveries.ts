import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { nameOf, textErrors } from '../described-streams.ts'
import type { Witness } from './witness.ts'

const madeUp = new Set<number>()

/** What comes to this port are events that a test has made up, so no description holds for them. */
export function markMadeUp(port: number): void {
  madeUp.add(port)
}

/**
 * Looks at every HTTP request that a server in this process gets: of a webhook's delivery the witness is told its body.
 * Returns the way to stop.
 */
export function watchDeliveries(witness: Witness): () => void {
  const came = (message: unknown) =>
    watch((message as { request: IncomingMessage }).request, witness)
  subscribe('http.server.request.start', came)
  return () => unsubscribe('http.server.request.start', came)
}

function watch(request: IncomingMessage, witness: Witness): void {
  const { headers, socket } = request
  if (headers['webhook-id'] === undefined || madeUp.has(socket.localPort ?? 0)) return
  const chunks: Buffer[] = []
  const { push } = request
  request.push = (chunk: Buffer | null) => {
    if (chunk === null) delivered(headers, Buffer.concat(chunks).toString(), witness)
    else chunks.push(chunk)
    return push.call(request, chunk)
  }
}

function delivered(headers: IncomingMessage['headers'], text: string, witness: Witness): void {
  const contentType = headers['content-type'] ?? 'untyped'
  const channel = channels[contentType]
  if (!channel) {
    witness.fault(`no webhook’s body is ${contentType}: ${text}`)
    return
  }
  const errors = textErrors(channel, 'gateway', text)
  if (errors.length > 0) witness.fault(`${channel}: ${errors.join('; ')}: ${text}`)
  else witness.saw(channel, 'gateway', nameOf(JSON.parse(text)) ?? '')
}

const channels: Record<string, string> = {
  'application/cloudevents+json; charset=utf-8': 'webhook',
  'application/json; charset=utf-8': 'analyticsWebhook',
}

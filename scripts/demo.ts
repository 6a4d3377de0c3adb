/**
 * The documented guest workflow against a running gateway, each step with its latency: create a guest, wait until it
 * is routed, inject a bot message, read what became of it. Finds a gateway started by `npm run quickstart` without
 * API_KEYS by itself; any other one by GATEWAY_URL and GATEWAY_KEY.
 */
import { readFileSync } from 'node:fs'
import { type Handover, handoverFile } from '../src/handover.ts'

const { url, key } = target()
const started = performance.now()

const session = await step('create a guest session', 'POST', '/v1/sessions', {
  guest: { name: 'API Automated Guest', email: 'automation@example.com', locale: 'en-US' },
  routing: { queueId: process.env.GENESYS_TARGET_QUEUE_ID ?? 'queue-demo' },
})
show({ session: session.id, guest: session.guestId, conversation: session.conversationId })

const active = await step(
  'wait until it is active',
  'GET',
  `/v1/sessions/${session.id}?wait=active`,
)
show({ state: active.state, activatedAfterMs: active.latencyMs.activate })

const message = await step('inject a bot message', 'POST', `/v1/sessions/${session.id}/messages`, {
  author: 'bot',
  text: 'This is an automated system message for testing purposes.',
})
show({ message: message.id, upstream: message.upstreamId, status: message.status })

const after = await step('read the session', 'GET', `/v1/sessions/${session.id}`)
show({ state: after.state, outbound: after.messages.outbound })

const closed = await step('close it', 'DELETE', `/v1/sessions/${session.id}`)
show({ state: closed.state })
console.log(`\nDone in ${Math.round(performance.now() - started)} ms.`)

function target(): Handover {
  const { GATEWAY_URL, GATEWAY_KEY } = process.env
  if (GATEWAY_KEY) return { url: GATEWAY_URL ?? 'http://127.0.0.1:3000', key: GATEWAY_KEY }
  try {
    return JSON.parse(readFileSync(handoverFile, 'utf8')) as Handover
  } catch {
    console.error(
      'No gateway has left its key here. `npm run quickstart` in another terminal starts one that does, unless API_KEYS is set;\n' +
        'for that one, or any other: GATEWAY_URL=http://127.0.0.1:3000 GATEWAY_KEY=… npm run demo',
    )
    process.exit(1)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a demo reads answers as they come
async function step(name: string, method: string, path: string, body?: object): Promise<any> {
  const began = performance.now()
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => {
    console.error(`No answer from ${url}. Is the gateway running?`)
    process.exit(1)
  })
  const answer = await response.json()
  const ms = Math.round(performance.now() - began)
  console.log(`${String(ms).padStart(6)} ms  ${name}: ${response.status}`)
  if (response.ok) return answer
  console.error(answer)
  process.exit(1)
}

function show(facts: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(facts)) console.log(`           ${name}: ${value}`)
}

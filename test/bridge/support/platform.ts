/**
 * The platform as its documents describe it and no further, in one server: tokens, and the surfaces whose guests talk
 * over a socket. It shares nothing with the gateway or its simulator, so that those two do not only agree with each
 * other. Everything it answers can be changed by a test.
 */

import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { Overrides } from '../../../src/gateway.ts'
import { startAgainst } from '../../support/gateway.ts'
import { type SocketServer, startSocketServer } from './socket-server.ts'

export interface Asked {
  method: string
  path: string
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  body: any
}

export interface Told {
  status: number
  body?: unknown
}

type Answering = (asked: Asked, count: number) => Told | undefined

export interface Platform extends SocketServer {
  /** `http://` origin. */
  httpUrl: string
  /** Every request but those for OAuth tokens, in order. */
  requests: Asked[]
  /** Instead of the documented answer, where it returns one. `count` is of requests to this path, from 1. */
  instead: Answering
  /** Changes what a documented answer holds. */
  amend: (asked: Asked, body: Record<string, unknown>) => Record<string, unknown>
  /** Requests whose path ends so. */
  asked(ending: string): Asked[]
}

export async function startPlatform(t: Pick<TestContext, 'after'>): Promise<Platform> {
  const requests: Asked[] = []
  let numbered = 0
  const server = await startSocketServer(t, async (request, response) => {
    const { method = '', url: path = '' } = request
    const sent = await text(request)
    const answer = (told: Told) => {
      response.writeHead(told.status, { 'content-type': 'application/json' })
      response.end(told.body === undefined ? undefined : JSON.stringify(told.body))
    }
    if (path === '/oauth/token') {
      return answer({ status: 200, body: { access_token: 'fake-oauth', expires_in: 86_400 } })
    }
    const asked = { method, path, body: sent === '' ? undefined : JSON.parse(sent) }
    requests.push(asked)
    const count = requests.filter((other) => other.path === path).length
    const told = platform.instead(asked, count) ?? documented(asked)
    if (told.status >= 300) return answer(told)
    answer({ ...told, body: platform.amend(asked, told.body as Record<string, unknown>) })
  })
  const platform: Platform = Object.assign(server, {
    httpUrl: server.url.replace('ws:', 'http:'),
    requests,
    instead: () => undefined,
    amend: (_asked: Asked, body: Record<string, unknown>) => body,
    asked: (ending: string) => requests.filter(({ path }) => path.endsWith(ending)),
  })

  function documented({ method, path }: Asked): Told {
    numbered += 1
    const tokens = {
      accessToken: `fake-access-${numbered}`,
      refreshToken: `fake-refresh-${numbered}`,
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    }
    const id = `guest-${numbered}`
    if (method === 'POST' && path === '/api/v2/webmessaging/guest-sessions') {
      const websocketUrl = `${server.url}/guest-sessions/${id}`
      return { status: 201, body: { id, ...tokens, websocketUrl } }
    }
    if (method === 'POST' && /\/guest-sessions\/[^/]+\/refresh$/.test(path)) {
      return { status: 200, body: tokens }
    }
    if (method === 'POST' && path === '/api/v2/conversations/messaging/guests') {
      const webChatToken = `fake-chat-${numbered}`
      return { status: 200, body: { id, conversationId: `conversation-${numbered}`, webChatToken } }
    }
    return { status: 404, body: { message: 'not in the documents', code: 'not.found' } }
  }

  return platform
}

/** A gateway that takes it for Genesys. */
export async function startOn(
  t: Pick<TestContext, 'after'>,
  platform: Platform,
  environment: Record<string, string> = {},
  overrides?: Overrides,
) {
  const started = await startAgainst(
    {
      GENESYS_BASE_URL: platform.httpUrl,
      GENESYS_CLIENT_ID: 'client-1',
      GENESYS_CLIENT_SECRET: 'fake-client-secret',
      GENESYS_RATE_LIMIT: 'off',
      GENESYS_MESSAGING_WS_URL: platform.url,
      GENESYS_WEB_MESSAGING_URL: platform.url,
      GENESYS_CHANNEL_CONFIG_ID: 'channel-1',
      GENESYS_DEPLOYMENT_ID: 'deployment-1',
      ALLOWED_ORIGINS: 'https://shop.example,https://www.shop.example',
      GENESYS_FRAME_INTERVAL_MS: '0',
      GENESYS_ACK_TIMEOUT_MS: '2000',
      ...environment,
    },
    overrides,
  )
  t.after(() => started.gateway[Symbol.asyncDispose]())
  return started
}

import assert from 'node:assert/strict'
import type { Answer } from '../../support/gateway.ts'
import type { Api } from '../../support/sessions.ts'

/** The one origin that test gateways allow. */
export const shop = 'https://shop.example'
export const stranger = 'https://evil.example'

export interface StreamToken {
  token: string
  expiresAt: string
  websocketUrl: string
  eventsUrl: string
}

export async function tokenFor(
  api: Api,
  { id }: { id: string },
  more: object = {},
): Promise<StreamToken> {
  const { status, body } = await api('POST', `/v1/sessions/${id}/stream-tokens`, {
    origin: shop,
    ...more,
  })
  assert.equal(status, 201, JSON.stringify(body))
  return body
}

/** The answer to a request that has no key but perhaps this. */
export async function bare(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(url, { method, headers })
  const isProblem = response.headers.get('content-type')?.includes('problem')
  const body = isProblem ? await response.json() : await response.body?.cancel()
  return { status: response.status, headers: response.headers, body } as Answer
}

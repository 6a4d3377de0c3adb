/** Destinations over the public API. */
import assert from 'node:assert/strict'
import type { Answer } from '../../support/gateway.ts'
import type { Api } from '../../support/sessions.ts'
import { until } from '../../support/until.ts'

export const allowPrivate = { WEBHOOK_ALLOW_PRIVATE: 'true' }

export async function addWebhook(
  api: Api,
  url: string,
  more: object = {},
): Promise<Answer['body']> {
  const created = await api('POST', '/v1/webhooks', { url, ...more })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  return created.body
}

export async function deliveriesOf(api: Api, { id }: { id: string }): Promise<Answer['body']> {
  const { status, body } = await api('GET', `/v1/webhooks/${id}/deliveries`)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

/** What is being retried, once it has been tried so often. */
export function failingAfter(api: Api, webhook: { id: string }, attempts: number) {
  return until(`${attempts} failed tries`, async () => {
    const { failing } = await deliveriesOf(api, webhook)
    return failing?.attempts === attempts ? (failing as Answer['body']) : null
  })
}

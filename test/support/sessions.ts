/** What most stories begin and end with, over the public API. */
import assert from 'node:assert/strict'
import type { Answer, TestGateway } from './gateway.ts'
import { until } from './until.ts'

export type Api = TestGateway['api']

export interface OpenedSession {
  id: string
  guestId: string
  conversationId: string
}

/** A new session whose guest is active. */
export async function openSession(api: Api, body: object = {}): Promise<OpenedSession> {
  const created = await createSession(api, body)
  const session = await api('GET', `/v1/sessions/${created.id}?wait=active&timeoutMs=10000`)
  assert.equal(session.body.state, 'active')
  return created
}

/** A new session, as it is. */
export async function createSession(api: Api, body: object = {}): Promise<OpenedSession> {
  const created = await api('POST', '/v1/sessions', { guest: { name: 'Ada' }, ...body })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  return created.body
}

export const respondAsync = { prefer: 'respond-async' }

export function send(
  api: Api,
  session: { id: string },
  text: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return api('POST', `/v1/sessions/${session.id}/messages`, { text }, headers)
}

export async function transcript(api: Api, session: { id: string }): Promise<Answer['body'][]> {
  const items: Answer['body'][] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Answer = await api(
      'GET',
      `/v1/sessions/${session.id}/messages?limit=200${cursor && `&cursor=${cursor}`}`,
    )
    assert.equal(page.status, 200, JSON.stringify(page.body))
    items.push(...page.body.items)
    cursor = page.body.nextCursor
  }
  return items
}

/** The message of this text, as the transcript has it now. */
export async function messageOf(api: Api, session: { id: string }, text: string) {
  const found = (await transcript(api, session)).filter((message) => message.text === text)
  assert.equal(found.length, 1, `"${text}" is in the transcript ${found.length} times`)
  return found[0]
}

export function isSettled({ status }: { status: string }): boolean {
  return status !== 'accepted' && status !== 'sending'
}

/** The message once nothing more happens to it by itself. */
export async function settled(api: Api, session: { id: string }, messageId: string) {
  const route = `/v1/sessions/${session.id}/messages/${messageId}`
  return until(`${messageId} is settled`, async () => {
    const { body } = await api('GET', route)
    return isSettled(body) ? body : null
  })
}

export function retry(
  api: Api,
  session: { id: string },
  messageId: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return api('POST', `/v1/sessions/${session.id}/messages/${messageId}/retry`, undefined, headers)
}

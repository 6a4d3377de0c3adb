import assert from 'node:assert/strict'
import type { Api } from '../support/sessions.ts'

export interface Entry {
  number: number
  action: string
  at: string
  actor: string | null
  sessionId: string | null
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever an action has
  details: any
  previousHash: string | null
  hash: string
}

export async function entriesOf(api: Api, session: { id: string }): Promise<Entry[]> {
  const { status, body } = await api('GET', `/v1/audit?limit=200&sessionId=${session.id}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body.items
}

export async function actionsOf(api: Api, session: { id: string }): Promise<string[]> {
  return (await entriesOf(api, session)).map(({ action }) => action)
}

/** The session's one entry of this action. */
export async function named(api: Api, session: { id: string }, action: string): Promise<Entry> {
  const found = (await entriesOf(api, session)).filter((entry) => entry.action === action)
  assert.equal(found.length, 1, `${action} is there ${found.length} times`)
  return found[0] as Entry
}

export async function exported(api: Api, query = ''): Promise<string> {
  const { status, body } = await api('GET', `/v1/audit${query}`, undefined, {
    accept: 'application/x-ndjson',
  })
  assert.equal(status, 200, JSON.stringify(body))
  return String(body)
}

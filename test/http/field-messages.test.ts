import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ClientFrame } from '../../src/http/streams/client-frames.ts'
import { parseOrRefuse } from '../../src/http/validation.ts'
import { assertProblem } from '../support/problems.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

describe('What is wrong with a field', () => {
  const gateway = sharedGateway()

  async function said(path: string, body?: unknown): Promise<Record<string, string>> {
    const answer = await gateway().api(body === undefined ? 'GET' : 'POST', path, body)
    assertProblem(answer, 'invalid-request')
    const errors = answer.body.errors as { pointer: string; detail: string }[]
    return Object.fromEntries(errors.map(({ pointer, detail }) => [pointer, detail]))
  }

  it('is said as the rest of a sentence that begins with its name', async () => {
    const guest = { id: '', email: 'x', attributes: { plan: 5 } }
    const body = {
      dialect: 'telegram',
      guest,
      routing: { priority: 0.5, skills: 'all' },
      consent: { marketing: 'yes', personalization: true, analytics: true },
      metadata: { botScore: 3 },
      colour: 'red',
    }
    assert.deepEqual(await said('/v1/sessions', body), {
      '/dialect':
        'must be one of external-guests, guest-sessions, conversations, messaging-guests, web-messaging',
      '/guest/name': 'is required',
      '/guest/email': 'is not an e-mail address',
      '/guest/id': 'must not be empty',
      '/guest/attributes/plan': 'must be a string',
      '/routing/priority': 'must be a whole number',
      '/routing/skills': 'must be an array',
      '/consent/marketing': 'must be true or false',
      '/metadata/botScore': 'must be at most 1',
      '/colour': 'is not a known field',
    })
    assert.deepEqual(await said('/v1/sessions', {}), { '/guest': 'is required' })
    assert.deepEqual(await said('/v1/sessions', []), { '': 'must be an object' })
    assert.deepEqual(await said('/v1/sessions?createdAfter=today'), {
      '?createdAfter': 'must be a time with its zone, such as 2026-11-20T10:00:00Z',
    })
  })

  it('stands in the detail of the problem', async () => {
    const { body } = await gateway().api('POST', '/v1/sessions', { guest: {} })
    assert.equal(body.detail, '/guest/name is required')
  })

  it('names what a frame can be, by the field that tells', () => {
    const refused = (frame: unknown, message: string) =>
      assert.throws(() => parseOrRefuse(ClientFrame, frame), { message })
    refused({}, '/type is required')
    refused({ type: 'shout' }, '/type must be one of message, typing, renew')
    refused({ type: 'renew' }, '/token is required')
    refused('message', 'The body must be an object')
    refused({ type: 'renew', token: 'x'.repeat(4097) }, '/token must have at most 4096 characters')
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UpstreamError } from '../../src/errors.ts'
import {
  answers,
  answersAndHangsUp,
  type Behaviour,
  breaksOff,
  hangs,
  resetsAfterReading,
  resetsAtOnce,
} from '../support/toxic-upstream.ts'
import { buildClient, limitsOf, options, request } from './support/client.ts'

/** A platform that acts on some messages, and answers as badly about those it did as about those it did not. */
function moody(actedOn: Map<string, number>): Behaviour {
  const act = (body: string) => {
    const { text } = JSON.parse(body) as { text: string }
    actedOn.set(text, (actedOn.get(text) ?? 0) + 1)
  }
  const acting =
    (behave: Behaviour): Behaviour =>
    async (incoming, response, seen) => {
      await behave(incoming, response, seen)
      act(seen.body)
    }
  const moods: Behaviour[] = [
    acting(answers(200, {})),
    acting(answers(200, {})),
    acting(answersAndHangsUp(200, {})),
    acting(resetsAfterReading),
    acting(breaksOff(200)),
    resetsAtOnce,
    resetsAfterReading,
    answers(500, {}),
    answers(503, '<html>'),
    breaksOff(502),
    answers(429, {}, { 'retry-after': '0' }),
    answers(401, {}),
    answers(404, {}),
    hangs,
  ]
  return (incoming, response, seen) =>
    moods[Math.floor(Math.random() * moods.length)]?.(incoming, response, seen)
}

describe('GenesysClient.call before a moody platform (M5)', () => {
  it('is never wrong about what became of a message', async (t) => {
    const { api, client } = await buildClient(t, {
      timeoutMs: 100,
      limits: limitsOf({ limit: 1_000, windowMs: 50 }),
      breaker: { leastCalls: 1e6 },
    })
    const actedOn = new Map<string, number>()
    api.usually(moody(actedOn))
    const fates = { acted: 0, refused: 0, unknown: 0 }
    const send = async (text: string) => {
      const deadline = Date.now() + 4_000
      try {
        const { status } = await client.call(request({ body: { text } }), options({ deadline }))
        const acted = status === 200
        assert.equal(actedOn.get(text) ?? 0, acted ? 1 : 0, `${text}: ${status}`)
        fates[acted ? 'acted' : 'refused']++
      } catch (error) {
        assert.ok(error instanceof UpstreamError, String(error))
        const times = actedOn.get(text) ?? 0
        if (error.fate === 'refused') assert.equal(times, 0, `${text}: ${error.message}`)
        assert.ok(times <= 1, `${text} was acted on ${times} times`)
        fates[error.fate]++
      }
    }
    await Promise.all(Array.from({ length: 300 }, (_, n) => send(`message ${n}`)))
    assert.ok(fates.acted > 0 && fates.refused > 0 && fates.unknown > 0, JSON.stringify(fates))
  })
})

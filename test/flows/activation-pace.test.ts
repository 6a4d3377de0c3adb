import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nextQuestionMs } from '../../src/sessions/activation-pace.ts'

const alone = { sessions: 1, spacingMs: 600 }
const crowd = { sessions: 20, spacingMs: 600 }
const free = { sessions: 20, spacingMs: 0 }

/** How often it is asked within `forMs`. */
function asked(isAwaited: boolean, among: typeof alone, forMs: number): number {
  let questions = 0
  for (let at = nextQuestionMs(isAwaited, 0, among); at <= forMs; questions += 1) {
    at += nextQuestionMs(isAwaited, at, among)
  }
  return questions
}

describe('nextQuestionMs', () => {
  it('asks five times a second for whoever waits, and less often the longer it takes', () => {
    assert.equal(nextQuestionMs(true, 0, alone), 200)
    assert.equal(nextQuestionMs(true, 2_000, alone), 200)
    assert.equal(nextQuestionMs(true, 10_000, alone), 1_000)
    assert.equal(nextQuestionMs(true, 3_600_000, alone), 15_000)
  })

  it('asks once in each doubling of the time where nobody waits', () => {
    assert.equal(nextQuestionMs(false, 0, alone), 250)
    assert.equal(nextQuestionMs(false, 4_000, alone), 4_000)
    assert.equal(nextQuestionMs(false, 600_000, alone), 60_000)
    assert.equal(asked(false, alone, 10_000), 6)
  })

  it('asks for many as often as the quota can bear', () => {
    assert.ok(20 * asked(false, crowd, 5_000) <= 20)
    assert.ok(20 * asked(true, crowd, 10_000) <= 60)
    assert.equal(nextQuestionMs(true, 0, free), 200)
  })
})

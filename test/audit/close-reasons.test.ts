import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainReason } from '../../src/sessions/close-reasons.ts'

describe('plainReason', () => {
  const kept = [
    'closed by the caller',
    'stream-lost',
    'the platform no longer knew the session',
    'the platform refused the stream (403)',
    'The platform answered 4000',
  ]
  for (const reason of kept) {
    it(`keeps "${reason}"`, () => assert.equal(plainReason(reason), reason))
  }

  it('leaves out what the platform added', () => {
    assert.equal(plainReason('displaced: Ada came back'), 'displaced')
    assert.equal(
      plainReason('The platform answered 4000: no Ada: here'),
      'The platform answered 4000',
    )
  })

  it('says `platform` for whatever is not in our words, and null for none', () => {
    assert.equal(plainReason('Ada has left'), 'platform')
    assert.equal(plainReason('the platform refused Ada (403)'), 'platform')
    assert.equal(plainReason(null), null)
  })
})

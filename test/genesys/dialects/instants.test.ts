import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { instant } from '../../../src/genesys/dialects/instants.ts'
import { at } from './samples.ts'

describe('instant', () => {
  const same: unknown[] = [
    '2026-03-04T09:30:00Z',
    '2026-03-04T09:30:00.000000Z',
    '2026-03-04T09:30Z',
    '2026-03-04T09:30:00+00:00',
    '2026-03-04T11:30:00+0200',
    '2026-03-04T11:30:00.000+02',
    '2026-03-04T04:00:00-05:30',
    '2026-03-04T09:30:00',
    '2026-03-04 09:30:00',
    ' 2026-03-04T09:30:00.000000 ',
    'Wed, 04 Mar 2026 09:30:00 GMT',
    1772616600,
    '1772616600',
    '1772616600.0',
    1772616600000,
  ]
  for (const written of same) {
    it(`reads ${JSON.stringify(written)}`, () => {
      assert.equal(instant(written), at)
    })
  }

  const none = [
    undefined,
    null,
    '',
    'soon',
    Number.NaN,
    0,
    -1,
    true,
    {},
    [],
    '2026-13-45T99:99:99Z',
    '+010000-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    253_402_300_800_000,
    1e17,
    '99999999999999999999',
  ]
  for (const written of none) {
    it(`finds no time in ${JSON.stringify(written) ?? 'nothing'}`, () => {
      assert.equal(instant(written), null)
    })
  }
})

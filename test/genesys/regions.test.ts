import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostsOf } from '../../src/genesys/regions.ts'

describe('hostsOf (A8)', () => {
  it('derives every host from a domain', () => {
    assert.deepEqual(hostsOf('mypurecloud.ie'), {
      api: 'https://api.mypurecloud.ie',
      login: 'https://login.mypurecloud.ie',
      messaging: 'wss://messaging.mypurecloud.ie',
      webMessaging: 'wss://webmessaging.mypurecloud.ie',
    })
  })

  const equals: [string, string][] = [
    ['us-east-1', 'mypurecloud.com'],
    ['eu-west-1', 'mypurecloud.ie'],
    ['EU-Central-1', 'mypurecloud.de'],
    ['ap-southeast-2', 'mypurecloud.com.au'],
    ['eu-west-2', 'euw2.pure.cloud'],
    ['api.mypurecloud.ie', 'mypurecloud.ie'],
    ['https://api.usw2.pure.cloud/', 'usw2.pure.cloud'],
    ['https://login.mypurecloud.jp/oauth/token', 'mypurecloud.jp'],
    [' mypurecloud.com. ', 'mypurecloud.com'],
    ['a-region-of-2031.pure.cloud', 'a-region-of-2031.pure.cloud'],
    ['acme.example:8443', 'acme.example:8443'],
  ]
  for (const [region, domain] of equals) {
    it(`reads "${region}" as ${domain}`, () => {
      assert.equal(hostsOf(region).api, `https://api.${domain}`)
    })
  }

  for (const region of ['', ' ', 'two words', 'a..b', 'user@host', 'dom\nain', 'eu-west-99']) {
    it(`refuses ${JSON.stringify(region)} and names it`, () => {
      assert.throws(() => hostsOf(region), /is neither a region name nor a domain/)
    })
  }
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseSettings, SettingsError } from '../../src/settings.ts'

/** What is wrong with a setting of this value. */
function problems(environment: Record<string, string>): string[] {
  try {
    parseSettings(environment)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe('ALLOWED_ORIGINS', () => {
  const origins = (ALLOWED_ORIGINS: string) =>
    parseSettings({ ALLOWED_ORIGINS }).http.allowedOrigins

  it('are written as browsers say them', () => {
    assert.deepEqual(origins('https://Shop.example/, http://localhost:5173,'), [
      'https://shop.example',
      'http://localhost:5173',
    ])
    assert.deepEqual(origins('https://shop.example:443'), ['https://shop.example'])
    assert.deepEqual(origins('capacitor://localhost'), ['capacitor://localhost'])
  })

  const never = [
    ...['shop.example', 'localhost:5173', '*', 'null', 'https://', 'https:shop'],
    ...['https://shop.example/page', 'https://shop.example?page', 'https://*.shop.example'],
    ...['https://me@shop.example', 'https://shop.example#page', 'capacitor://localhost/page'],
  ]
  for (const origin of never) {
    it(`are refused where they could never match: ${origin}`, () => {
      const found = problems({ ALLOWED_ORIGINS: `https://shop.example,${origin}` })
      assert.deepEqual(found, [
        `ALLOWED_ORIGINS: "${origin}" must be an origin, https://host[:port] or http://host[:port]`,
      ])
    })
  }
})

describe('STORE', () => {
  it('names what it may be, and repeats no password of another', () => {
    const [problem = '', ...others] = problems({ STORE: 'redis://user:fake-password@localhost' })
    assert.deepEqual(others, [])
    assert.match(problem, /^STORE: "redis:…" .* memory or sqlite:PATH$/)
    for (const STORE of ['sqlite:', 'file.db', 'Memory', 'sqlite']) {
      assert.match(problems({ STORE }).join(), /^STORE: /, STORE)
    }
  })

  it('takes any path', () => {
    for (const STORE of ['memory', 'sqlite:a b:c?d%20é.db', 'sqlite:/data/gateway.db']) {
      assert.equal(parseSettings({ STORE }).store.location, STORE)
    }
  })
})

describe('GENESYS_REGION', () => {
  it('is refused, by its name, where no host can be made of it', () => {
    assert.deepEqual(problems({ GENESYS_REGION: 'eu-west-99' }), [
      'GENESYS_REGION: "eu-west-99" is neither a region name nor a domain',
    ])
    for (const region of ['eu-west-1', 'mypurecloud.ie', 'https://api.usw2.pure.cloud/']) {
      assert.equal(parseSettings({ GENESYS_REGION: region }).genesys.region, region)
    }
  })
})

describe('TRUST_PROXY', () => {
  it('takes addresses, ranges and the names of ranges', () => {
    const proxies = (TRUST_PROXY: string) => parseSettings({ TRUST_PROXY }).http.trustProxy
    assert.deepEqual([proxies('true'), proxies('false')], [true, false])
    const several = 'loopback, 10.0.0.0/8,192.168.0.0/255.255.0.0, ::1,fd00::/8'
    assert.equal(proxies(several), several)
    for (const wrong of ['the-proxy', 'True', '10.0.0.0/99', 'loopback,', '1.2.3.4/', '1']) {
      assert.match(problems({ TRUST_PROXY: wrong }).join(), /^TRUST_PROXY: /, wrong)
    }
  })
})

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { errorCodes } from '../../src/errors.ts'
import { problemTypes } from '../../src/http/problems.ts'
import { chromiumMissing, visit } from '../support/chromium.ts'
import { operations } from '../support/openapi.ts'
import { assertProblem } from '../support/problems.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

/** Neither page nor key. */
const anybody = { authorization: '' }

describe('/problems/{code}', () => {
  const gateway = sharedGateway()

  for (const code of errorCodes) {
    it(`explains ${code} to anybody`, async () => {
      const { status, headers, body } = await gateway().api(
        'GET',
        `/problems/${code}`,
        undefined,
        anybody,
      )
      assert.equal(status, 200)
      assert.equal(headers.get('content-type'), 'text/html; charset=utf-8')
      assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/)
      const page = body.replace(/<\/?code>/g, '')
      const { title, meaning, remedy } = problemTypes[code]
      for (const text of [title, meaning, remedy])
        assert.ok(page.includes(text.replaceAll('`', '')))
      assert.doesNotMatch(body, /`|https?:/)
    })
  }

  it('is route-not-found for any other code', async () => {
    for (const code of [
      'unknown',
      'FORBIDDEN',
      'constructor',
      '__proto__',
      '%00',
      '<script>',
      '',
    ]) {
      const answer = await gateway().api('GET', `/problems/${code}`, undefined, anybody)
      assertProblem(answer, 'route-not-found')
    }
  })
})

describe('/openapi.json and /openapi.yaml', () => {
  const gateway = sharedGateway()

  it('are the same description, open to anybody', async () => {
    const json = await gateway().api('GET', '/openapi.json', undefined, anybody)
    const yaml = await gateway().api('GET', '/openapi.yaml', undefined, anybody)
    assert.match(json.headers.get('content-type') ?? '', /^application\/json/)
    assert.match(yaml.headers.get('content-type') ?? '', /^application\/yaml/)
    assert.deepEqual(parse(yaml.body), json.body)
    assert.equal(json.body.openapi, '3.1.0')
  })
})

describe('/asyncapi.yaml', () => {
  const gateway = sharedGateway()

  it('is openapi/asyncapi.yaml, open to anybody, and what /docs points to', async () => {
    const { status, headers, body } = await gateway().api(
      'GET',
      '/asyncapi.yaml',
      undefined,
      anybody,
    )
    assert.equal(status, 200)
    assert.match(headers.get('content-type') ?? '', /^application\/yaml/)
    assert.equal(body, readFileSync('openapi/asyncapi.yaml', 'utf8'))
    const openApi = await gateway().api('GET', '/openapi.json', undefined, anybody)
    assert.match(JSON.stringify(openApi.body.tags), /\(\/asyncapi\.yaml\)/)
  })
})

describe('/docs', () => {
  const gateway = sharedGateway()

  it('sends pages, scripts and styles that fetch from no other host', async () => {
    const fetched = new Set<string>()
    const toFetch = ['/docs/']
    for (let path = toFetch.pop(); path !== undefined; path = toFetch.pop()) {
      if (fetched.has(path)) continue
      fetched.add(path)
      const { status, headers, body } = await gateway().api('GET', path, undefined, anybody)
      assert.equal(status, 200, path)
      const policy = headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none'/)
      assert.doesNotMatch(policy, /https?:|upgrade-insecure-requests/)
      if (!/html/.test(headers.get('content-type') ?? '')) continue
      for (const [, target = ''] of body.matchAll(/(?:src|href)="([^"]+)"/g)) {
        assert.doesNotMatch(target, /^(?:\w+:|\/\/)/, `${path} leads to ${target}`)
        toFetch.push(new URL(target, `http://gateway${path}`).pathname)
      }
    }
    assert.ok(fetched.size > 4)
  })

  it('sends a file once while it is the same', async () => {
    const ask = (method: string, more = '') =>
      rawAnswer(
        gateway().url,
        `${method} /docs/static/swagger-ui.css HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n${more}\r\n`,
        { end: false, head: method === 'HEAD' },
      )
    const { headers } = await ask('HEAD')
    const { text } = await ask('GET')
    assert.equal(headers['content-length'], String(Buffer.byteLength(text)))
    const again = await ask('GET', `If-None-Match: ${headers.etag}\r\n`)
    assert.equal(again.status, 304)
    assert.equal(again.headers['content-length'], undefined)
  })

  it('is route-not-found for a file that is not there', async () => {
    for (const path of [
      '/docs/static/nothing.js',
      '/docs/static/..%2f..%2fpackage.json',
      '/docs/static/%2e%2e/%2e%2e/package.json',
    ]) {
      const answer = await gateway().api('GET', path)
      assert.ok([403, 404].includes(answer.status), `${path}: ${answer.status}`)
      assert.match(answer.headers.get('content-type') ?? '', /problem\+json/)
    }
  })

  it('shows every operation in a browser that reaches nothing but the gateway', {
    skip: chromiumMissing,
  }, async (t) => {
    const { page, requested, errors } = await visit(t, `${gateway().url}/docs`)
    await page.waitForSelector('.opblock')
    const shown = await page.locator('.opblock').count()
    assert.equal(shown, operations.length)
    await page.locator('#operations-Sessions-createSession .opblock-summary-control').click()
    await page.waitForSelector('#operations-Sessions-createSession .responses-table')

    const { host } = new URL(gateway().url)
    const elsewhere = requested.filter((url) => url.host !== host && url.protocol !== 'data:')
    assert.deepEqual(elsewhere.map(String), [])
    assert.deepEqual(errors, [])
  })
})

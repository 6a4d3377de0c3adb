import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertProblem } from '../support/problems.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { simulatedGateway } from './simulated-gateway.ts'

const toPlay = [
  ['/playground', 'text/html; charset=utf-8'],
  ['/pages/playground/main.js', 'text/javascript; charset=utf-8'],
  ['/pages/playground/playground.css', 'text/css; charset=utf-8'],
] as const

const always = [
  ['/dashboard', 'text/html; charset=utf-8'],
  ['/pages/dashboard/main.js', 'text/javascript; charset=utf-8'],
  ['/pages/dashboard/dashboard.css', 'text/css; charset=utf-8'],
  ['/pages/shared/icon.svg', 'image/svg+xml'],
  ['/pages/uplot/uPlot.esm.js', 'text/javascript; charset=utf-8'],
  ['/pages/uplot/uPlot.min.css', 'text/css; charset=utf-8'],
] as const

describe('The files of the pages', () => {
  const gateway = simulatedGateway()
  const ask = (path: string, headers?: Record<string, string>) =>
    fetch(gateway().url + path, { ...(headers && { headers }) })

  for (const [path, type] of [...toPlay, ...always]) {
    it(`are served to anybody with their type: ${path}`, async () => {
      const answer = await ask(path)
      assert.equal(answer.status, 200)
      assert.equal(answer.headers.get('content-type'), type)
      assert.equal(answer.headers.get('cache-control'), 'no-cache')
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.ok((await answer.arrayBuffer()).byteLength > 100)
    })

    it(`are not sent again while they are the same: ${path}`, async () => {
      const etag = (await ask(path)).headers.get('etag') ?? ''
      const again = await ask(path, { 'if-none-match': etag })
      assert.equal(again.status, 304)
      assert.equal(await again.text(), '')
      assert.equal((await ask(path, { 'if-none-match': '"other"' })).status, 200)
    })
  }

  it('allow nothing inline and nothing of another origin', async () => {
    for (const page of ['/playground', '/dashboard']) {
      const policy = (await ask(page)).headers.get('content-security-policy') ?? ''
      const directives = policy.split('; ')
      assert.ok(directives.includes("default-src 'self'"))
      assert.ok(directives.includes("frame-ancestors 'none'"))
      assert.doesNotMatch(policy, /unsafe|https?:|\*/)
    }
  })

  it('are all there is: nothing else of that folder or another can be asked for', async () => {
    const elsewhere = [
      '/pages/playground/index.html',
      '/pages/dashboard/index.html',
      '/pages/dashboard/types.d.ts',
      '/pages/shared/types.d.ts',
      '/pages/uplot/uPlot.cjs.js',
      '/pages/uplot/../package.json',
      '/pages/tsconfig.json',
      '/pages/README.md',
      '/pages/',
      '/pages/playground/',
      '/pages/../main.ts',
      '/pages/playground/../../main.ts',
      '/pages/playground/..%2f..%2fmain.ts',
      '/pages/playground/%2e%2e/%2e%2e/main.ts',
      '/pages/playground/..\\..\\main.ts',
    ]
    for (const path of elsewhere) {
      const request = `GET ${path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n`
      const { status, text } = await rawAnswer(gateway().url, request)
      assert.equal(status, 404, path)
      assert.equal(JSON.parse(text).code, 'route-not-found')
    }
  })
})

describe('The pages in live mode', () => {
  const gateway = sharedGateway()
  for (const [path] of toPlay) {
    it(`are without the playground: ${path} is route-not-found`, async () => {
      assertProblem(await gateway().api('GET', path), 'route-not-found')
    })
  }
  for (const [path] of always) {
    it(`have the dashboard, for anybody: ${path}`, async () => {
      const { status } = await gateway().api('GET', path, undefined, { authorization: '' })
      assert.equal(status, 200)
    })
  }
})

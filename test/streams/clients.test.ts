/** Clients that know nothing of this gateway: what platforms have built in, in more than one language. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { EventSource, WebSocket } from 'undici'
import { chromiumMissing, visit } from '../support/chromium.ts'
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts'
import { adminKey, startTestGateway } from '../support/gateway.ts'
import { listen } from '../support/ports.ts'
import { pythonMissing, runPython } from '../support/python.ts'
import { openSession, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'
import { tokenFor } from './support/tokens.ts'

const sequencesOf = (texts: string[]) => texts.map((text) => JSON.parse(text).sequence)

describe('The EventSource that Node and browsers have', () => {
  const gateway = sharedGateway()

  it('follows a session over a broken connection by itself, and stops when it is over', async (t) => {
    const { api, url } = gateway()
    await using proxy = await startCuttingProxy({ target: () => url })
    const session = await openSession(api)
    const { eventsUrl } = await tokenFor(api, session)
    const source = new EventSource(`${eventsUrl.replace(url, proxy.url)}&after=0`)
    t.after(() => source.close())
    const seen: string[] = []
    source.onmessage = ({ data }) => seen.push(data)
    await until('the first', () => seen.length === 2)
    proxy.cutAll()
    await send(api, session, 'while it is away')
    await until('it is back', () => seen.length === 4)
    assert.deepEqual(sequencesOf(seen), upTo(4))
    await api('DELETE', `/v1/sessions/${session.id}`)
    await until('it has given up', () => source.readyState === source.CLOSED)
    assert.deepEqual(sequencesOf(seen), upTo(5))
  })

  it('misses nothing though it lost its connection before its first event', async (t) => {
    const { api, url } = gateway()
    await using proxy = await startCuttingProxy({ target: () => url })
    const session = await openSession(api)
    const { eventsUrl } = await tokenFor(api, session)
    const source = new EventSource(eventsUrl.replace(url, proxy.url))
    t.after(() => source.close())
    const seen: string[] = []
    source.onmessage = ({ data }) => seen.push(data)
    await until('it is open', () => source.readyState === source.OPEN)
    proxy.cutAll()
    await send(api, session, 'while it is away')
    await until('it is back', () => seen.length === 2)
    assert.deepEqual(sequencesOf(seen), [3, 4])
  })
})

describe('The WebSocket that Node and browsers have', () => {
  it('speaks with a session until that is over', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    const { websocketUrl } = await tokenFor(api, session, { canSend: true })
    const socket = new WebSocket(websocketUrl)
    const seen: string[] = []
    socket.onmessage = ({ data }) => seen.push(data)
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'message', id: 'mine', text: 'Hello' }))
    await until('it is answered and sent', () => seen.length === 3)
    assert.deepEqual(seen.map((text) => JSON.parse(text).type).sort(), [
      'ack',
      'message.accepted',
      'message.sent',
    ])
    await api('DELETE', `/v1/sessions/${session.id}`)
    const [{ code, reason }] = await once(socket, 'close')
    assert.deepEqual([code, reason], [4410, 'the session is over'])
  })
})

describe('Python’s standard library', { skip: pythonMissing }, () => {
  const program = (name: string) => new URL(`support/${name}`, import.meta.url)

  it('reads a session by SSE over broken connections', async (t) => {
    const { api, url } = await startTestGateway(t)
    let connections = 0
    await using proxy: CuttingProxy = await startCuttingProxy({
      target: () => url,
      bytes: () => (connections++ < 5 ? 2000 + 517 * connections : Number.POSITIVE_INFINITY),
    })
    const session = await openSession(api)
    const { eventsUrl } = await tokenFor(api, session)
    const address = `${eventsUrl.replace(url, proxy.url)}&after=0`
    const reader = await runPython(t, program('sse_reader.py'), address, '22')
    const texts = ['ä', '\u2028\u2029\u0085', '😀', '"\\\n', 'data: x\n\nid: 9\n\n']
    for (const text of [...texts, ...texts]) await send(api, session, text)
    await reader.done
    assert.deepEqual(sequencesOf(reader.lines), upTo(22))
    assert.equal(proxy.cuts, 5)
    const sent = reader.lines
      .map((line) => JSON.parse(line))
      .filter((e) => e.type === 'message.sent')
    assert.deepEqual(
      sent.map(({ data }) => data.text),
      [...texts, ...texts],
    )
  })

  it('speaks with a session by WebSocket until that is over', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    const { websocketUrl } = await tokenFor(api, session, { canSend: true })
    const client = await runPython(
      t,
      program('socket_client.py'),
      `${websocketUrl}&after=0`,
      'Grüße',
    )
    const wholeTalk = until('it is answered and sent', () => client.lines.length === 5)
    await Promise.race([wholeTalk, client.done])
    await api('DELETE', `/v1/sessions/${session.id}`)
    await client.done
    const code = client.lines.pop()
    assert.equal(code, '4410')
    const frames = client.lines.map((line) => JSON.parse(line))
    assert.deepEqual(
      frames.flatMap(({ sequence }) => sequence ?? []),
      upTo(5),
    )
    assert.equal(frames.find(({ type }) => type === 'message.sent').data.text, 'Grüße')
    assert.equal(frames.find(({ type }) => type === 'ack').id, 'from python')
  })
})

describe('A page of another origin, in a browser', { skip: chromiumMissing }, () => {
  /** Somebody's shop: an empty page on a server of its own. */
  async function startShop(t: TestContext): Promise<string> {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Shop</title>')
    })
    const port = await listen(server)
    t.after(() => server.close())
    return `http://127.0.0.1:${port}`
  }

  it('follows and speaks where its origin is allowed, and is kept out where not', async (t) => {
    const [shop, foreign] = [await startShop(t), await startShop(t)]
    const environment = { ALLOWED_ORIGINS: shop }
    const { api, url } = await startTestGateway(t, { environment })
    await using proxy = await startCuttingProxy({ target: () => url })
    const session = await openSession(api)
    const { eventsUrl, websocketUrl } = await tokenFor(api, session, {
      origin: shop,
      canSend: true,
    })
    const events = `${eventsUrl.replace(url, proxy.url)}&after=0`

    const { page } = await visit(t, shop)
    await page.evaluate(`
      seen = []
      source = new EventSource(${JSON.stringify(events)})
      source.onmessage = ({ data }) => seen.push(data)
      frames = []
      ended = new Promise((resolve) => {
        socket = new WebSocket(${JSON.stringify(websocketUrl)})
        socket.onopen = () => socket.send('{"type":"message","id":"mine","text":"From the page"}')
        socket.onmessage = ({ data }) => frames.push(data)
        socket.onclose = ({ code }) => resolve(code)
      })
      undefined`)
    const seen = () => page.evaluate<string[]>('seen')
    await until('the first', async () => (await seen()).length === 4)
    proxy.cutAll()
    await send(api, session, 'while it is away')
    await until('it is back', async () => (await seen()).length === 6)
    assert.deepEqual(sequencesOf(await seen()), upTo(6))
    const frames = await page.evaluate<string[]>('frames')
    assert.ok(frames.some((text) => JSON.parse(text).type === 'ack'))

    const fetched = await page.evaluate<[number, string | null]>(`
      fetch(${JSON.stringify(`${url}/v1/sessions/${session.id}/messages`)}, {
        method: 'POST',
        headers: {
          authorization: 'Bearer ${adminKey}',
          'content-type': 'application/json',
          'idempotency-key': 'from-a-page',
        },
        body: '{"text":"By fetch"}',
      }).then((answer) => [answer.status, answer.headers.get('x-request-id')])`)
    assert.equal(fetched[0], 201)
    assert.ok(fetched[1])

    const { page: stranger } = await visit(t, foreign)
    const [source, socket, answer] = await stranger.evaluate<unknown[]>(`
      Promise.all([
        new Promise((resolve) => {
          const source = new EventSource(${JSON.stringify(eventsUrl)})
          source.onopen = () => resolve('open')
          source.onerror = () => resolve(source.readyState)
        }),
        new Promise((resolve) => {
          const socket = new WebSocket(${JSON.stringify(websocketUrl)})
          socket.onopen = () => resolve('open')
          socket.onclose = ({ code }) => resolve(code)
        }),
        fetch(${JSON.stringify(`${url}/v1/sessions`)}, {
          headers: { authorization: 'Bearer ${adminKey}' },
        }).then((answer) => answer.status, (error) => error.name),
      ])`)
    assert.deepEqual([source, socket, answer], [2, 1006, 'TypeError'])

    await api('DELETE', `/v1/sessions/${session.id}`)
    assert.equal(await page.evaluate('ended'), 4410)
    await until('it has given up', async () => (await page.evaluate('source.readyState')) === 2)
  })
})

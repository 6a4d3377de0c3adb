/** That nothing gets past test/support/wire: whoever asks, and whatever is wrong. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { EventSource, WebSocket as UndiciSocket } from 'undici'
import { WebSocket as WsSocket } from 'ws'
import { chromiumMissing, launchChromium } from '../support/chromium.ts'
import { streams } from '../support/described-streams.ts'
import { pythonMissing, runPython } from '../support/python.ts'
import { answers, startToxicUpstream } from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { watchConnections } from '../support/wire/connections.ts'
import { markMadeUp, watchDeliveries } from '../support/wire/deliveries.ts'
import { markNonsense } from '../support/wire/nonsense.ts'
import { StreamTalk } from '../support/wire/stream-talk.ts'
import type { Witness } from '../support/wire/witness.ts'
import { startSham } from './support/sham-gateway.ts'

const example = (key: string) => streams.components.messages[key]?.examples[0]?.payload ?? {}
const created = example('sessionCreated')
const line = (value: object, id?: unknown) =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`
const wrong = { type: 'shout' }

interface Noted extends Witness {
  seen: string[]
  faults: string[]
}

function noting(): Noted {
  const seen: string[] = []
  const faults: string[] = []
  return {
    seen,
    faults,
    saw: (...message) => void seen.push(message.join(' ')),
    fault: (what) => void faults.push(what),
  }
}

describe('What this process gets and says on a stream', () => {
  const byEvents: Record<string, (url: string) => Promise<unknown>> = {
    fetch: async (url) => (await fetch(url)).text(),
    'fetch, over a connection that was in use before': async (url) => {
      await (await fetch(new URL('/page', url))).text()
      await (await fetch(url)).text()
    },
    'node:http': async (url) => text((await once(get(url), 'response'))[0]),
    EventSource: async (url) => {
      const source = new EventSource(url)
      await new Promise((resolve) => {
        source.onerror = resolve
      })
      source.close()
    },
    'a bare socket': async (url) => {
      const { hostname, port, pathname } = new URL(url)
      const socket = connect(Number(port), hostname)
      // Before it is connected, and as the last it says.
      socket.end(`GET ${pathname} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      await text(socket)
    },
  }
  for (const [means, read] of Object.entries(byEvents)) {
    it(`is looked at when it comes by ${means}`, async (t) => {
      const noted = watched(t)
      const sham = await startSham(t, {
        events: (response) => {
          response.write('retry: 1000\nid: 0\n\n: beat\n')
          response.write(line(created, created.sequence))
          response.write(line(wrong))
        },
      })
      await read(sham.eventsUrl)
      assert.deepEqual(noted.seen.slice(0, 1), ['sessionEvents gateway session.created'])
      assert.match(noted.faults[0] ?? '', /^sessionEvents: a shout is not described here/)
    })
  }

  const sockets = { ws: WsSocket, undici: UndiciSocket, Node: globalThis.WebSocket }
  for (const [means, Socket] of Object.entries(sockets)) {
    it(`is looked at both ways by the WebSocket of ${means}`, async (t) => {
      const noted = watched(t)
      const heard: string[] = []
      const sham = await startSham(t, {
        socket: (socket) => {
          socket.send(JSON.stringify(created))
          socket.send(JSON.stringify(wrong))
          socket.on('message', (frame) => heard.push(frame.toString()))
          socket.on('close', () => heard.push('closed'))
        },
      })
      const socket = new Socket(sham.socketUrl)
      await new Promise((resolve) => {
        socket.onopen = resolve
      })
      const said = ['{"type":"typing"}', JSON.stringify(wrong)]
      for (const frame of said) socket.send(frame)
      socket.close()
      await until('it is closed', () => heard.includes('closed'))
      // It arrives as it was said, though it was looked at.
      assert.deepEqual(heard.slice(0, 2), said)
      assert.deepEqual(noted.seen.toSorted(), [
        'sessionSocket client typing',
        'sessionSocket gateway session.created',
      ])
      const faults = noted.faults.toSorted()
      assert.equal(faults.length, 2)
      assert.match(faults[0] ?? '', /the client says a shout/)
      assert.match(faults[1] ?? '', /the gateway says a shout/)
    })
  }

  it('may be nonsense of a client that says so', async (t) => {
    const noted = watched(t)
    const sham = await startSham(t, {
      socket: (socket) => socket.on('message', () => socket.close()),
    })
    const socket = new WsSocket(sham.socketUrl)
    await once(socket, 'open')
    markNonsense('gibberish')
    socket.send('gibberish')
    await once(socket, 'close')
    assert.deepEqual(noted, { ...noted, seen: [], faults: [] })
  })
})

describe('A stream that is not described', () => {
  const ways: [string, (socket: Socket) => void][] = [
    [
      'an address of nobody',
      (socket) => socket.write('GET /v1/events/news HTTP/1.1\r\nhost: x\r\n\r\n'),
    ],
    ['another method', (socket) => socket.write('POST /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')],
    [
      'a request in pieces',
      (socket) => {
        socket.write('GET /v1/events HT')
        socket.write('TP/1.1\r\nhost: x\r\n\r\n')
      },
    ],
  ]
  for (const [what, ask] of ways) {
    it(`is refused: by ${what}`, async (t) => {
      const noted = watched(t)
      const sham = await startSham(t, { events: (response) => response.write(line(created, 1)) })
      const socket = connect(Number(new URL(sham.url).port), '127.0.0.1')
      ask(socket)
      await once(socket, 'data')
      socket.destroy()
      assert.deepEqual([noted.seen.length, noted.faults.length], [0, 1])
      assert.match(noted.faults[0] ?? '', /^a stream that is not described/)
    })
  }
})

describe('What another program gets and says on a stream', () => {
  it('is looked at when it is Python', { skip: pythonMissing }, async (t) => {
    const noted = watched(t)
    const sham = await startSham(t, {
      events: (response) => response.write(line(created, 1) + line(wrong, 2)),
    })
    const program = new URL('support/sse_reader.py', import.meta.url)
    await (await runPython(t, program, sham.eventsUrl, '2')).done
    assert.match(noted.faults[0] ?? '', /^sessionEvents: a shout/)
  })

  it('is looked at when it is a page in a browser', { skip: chromiumMissing }, async (t) => {
    const noted = watched(t)
    const sham = await startSham(t, {
      events: (response) => response.write(line(wrong)),
      socket: (socket) => {
        socket.on('message', () => socket.close())
        socket.send(JSON.stringify(created))
      },
    })
    const { browser, end } = await launchChromium()
    t.after(end)
    const page = await browser.newPage()
    await page.goto(sham.url)
    const fetched = `fetch('${sham.url}/v1/events').then((answer) => answer.text())`
    const source = `new Promise((resolve) => {
      const source = new EventSource('${sham.eventsUrl}')
      source.onerror = () => resolve(source.close())
    })`
    const socket = `new Promise((resolve) => {
      const socket = new WebSocket('${sham.socketUrl}')
      socket.onopen = () => socket.send('{"type":"shout"}')
      socket.onclose = () => resolve()
    })`
    for (const step of [fetched, source, socket]) await page.evaluate(`${step}.then(() => {})`)
    assert.deepEqual(
      noted.faults.map((fault) => fault.split(':')[0]),
      ['allEvents', 'sessionEvents', 'sessionSocket'],
    )
    assert.deepEqual(noted.seen, ['sessionSocket gateway session.created'])
  })
})

describe('What a stream of events carries', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n'
  const one = '/v1/sessions/gs_1/events?after=0'
  const all = '/v1/events'

  function told(path: string, body: string | Buffer, cut = Number.POSITIVE_INFINITY): Noted {
    const noted = noting()
    const talk = new StreamTalk(path, noted)
    const bytes = Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.from(body)])
    for (let at = 0; at < bytes.length; at += cut) talk.heard(bytes.subarray(at, at + cut))
    return noted
  }

  it('is the same wherever it is cut', () => {
    const text = `: beat\n${line({ ...created, data: created.data }, 1)}${line(example('typing'))}`
    const chunks = [text.slice(0, 7), text.slice(7, 100), text.slice(100)]
    const chunked = chunks.map((c) => `${Buffer.byteLength(c).toString(16)}\r\n${c}\r\n`).join('')
    const expected = ['sessionEvents gateway session.created', 'sessionEvents gateway typing']
    for (const cut of [1, 2, 3, 7, 64, 10_000]) {
      assert.deepEqual([told(one, text, cut).seen, told(one, text, cut).faults], [expected, []])
      const noted = noting()
      const talk = new StreamTalk(one, noted)
      const bytes = Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${chunked}0\r\n\r\n`)
      for (let at = 0; at < bytes.length; at += cut) talk.heard(bytes.subarray(at, at + cut))
      assert.deepEqual([noted.seen, noted.faults], [expected, []])
    }
  })

  const refused: [string, string, string | Buffer, RegExp][] = [
    ['a field that is not described', one, line({ ...created, more: 1 }, 1), /additional prop/],
    ['a field too few', one, line({ ...created, time: undefined }, 1), /must have required/],
    ['no JSON', one, 'data: {\n\n', /no JSON/],
    ['what only the socket has', one, line(example('ack')), /a ack is not described here/],
    ['what only one session’s has', all, line(example('typing')), /a typing is not described/],
    ['the id of another event', one, line(created, 2), /the id 2 is not that of/],
    ['an event without its id', all, line(created), /the id undefined/],
    ['an id for what is not kept', one, line(example('typing'), 1), /the id 1/],
    ['a line that is none', one, 'daat: {}\n', /not a line of an event stream: daat/],
    ['a wait that is none', one, 'retry: soon\n', /not a line/],
    ['what is no UTF-8', one, Buffer.from([0x3a, 0xc3, 0x28, 0x0a]), /not UTF-8/],
  ]
  for (const [what, path, body, fault] of refused) {
    it(`is refused with ${what}`, () => {
      const { seen, faults } = told(path, body)
      assert.deepEqual([seen.length, faults.length], [0, 1], faults.join('\n'))
      assert.match(faults[0] ?? '', fault)
    })
  }

  it('has nothing to look at when it is asked for with HEAD', () => {
    const { seen, faults } = told(`HEAD ${all}`, '')
    assert.deepEqual([seen, faults], [[], []])
  })

  it('is refused at an address where none is described', () => {
    assert.match(told('/v1/news', line(created, 1)).faults[0] ?? '', /not described: \/v1\/news/)
  })
})

describe('What a WebSocket carries', () => {
  const refused: [string, (socket: import('ws').WebSocket) => void, RegExp][] = [
    ['a binary frame', (s) => s.send(Buffer.from(JSON.stringify(created))), /a binary frame/],
    ['a close code of nobody', (s) => s.close(4999), /a close code that is not described: 4999/],
    ['what only a client says', (s) => s.send('{"type":"renew","token":"x"}'), /a renew is not/],
  ]
  for (const [what, act, fault] of refused) {
    it(`is refused with ${what}`, async (t) => {
      const noted = watched(t)
      const sham = await startSham(t, {
        socket: (socket) => {
          act(socket)
          socket.close(4410)
        },
      })
      await once(new WsSocket(sham.socketUrl), 'close')
      assert.equal(noted.faults.length, 1)
      assert.match(noted.faults[0] ?? '', fault)
    })
  }

  function upgraded(path: string, ...frames: Buffer[]): Noted {
    const noted = noting()
    const talk = new StreamTalk(path, noted)
    talk.heard(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    for (const frame of frames) talk.heard(frame)
    return noted
  }

  it('is refused where it is none, once', async () => {
    const noOpcode = Buffer.from([0x83, 0])
    const { faults } = upgraded('/v1/sessions/gs_1/ws', noOpcode, noOpcode)
    await until('it is noticed', () => faults.length)
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', /^sessionSocket: the gateway says what is no WebSocket/)
  })

  it('is refused at an address of ours where none is described', () => {
    assert.match(upgraded('/v1/news').faults[0] ?? '', /not described: \/v1\/news/)
    assert.deepEqual(upgraded('/api/v2/of-the-platform').faults, [])
  })
})

describe('What a webhook’s receiver gets', () => {
  const cloud = 'application/cloudevents+json; charset=utf-8'
  const flat = 'application/json; charset=utf-8'
  const cases: [string, string, object, RegExp | null][] = [
    ['an event', cloud, created, null],
    ['what became of a message', flat, example('messageTransmission'), null],
    ['an event with more than is described', cloud, { ...created, more: 1 }, /additional prop/],
    ['what is not kept', cloud, example('typing'), /a typing is not described here/],
    ['an event as analytics', flat, created, /a session.created is not described here/],
    ['another type of content', 'text/plain', created, /no webhook’s body is text\/plain/],
  ]
  for (const [what, contentType, body, fault] of cases) {
    it(`is ${fault ? 'refused' : 'seen'}: ${what}`, async (t) => {
      const noted = watched(t)
      await using receiver = await startToxicUpstream(answers(204))
      await deliver(receiver.url, contentType, body)
      assert.equal(noted.seen.length, fault ? 0 : 1)
      if (fault) assert.match(noted.faults.join(), fault)
      else assert.deepEqual(noted.faults, [])
      noted.faults.length = 0
      markMadeUp(Number(new URL(receiver.url).port))
      await deliver(receiver.url, contentType, body)
      assert.deepEqual(noted.faults, [])
    })
  }

  function deliver(url: string, contentType: string, body: object) {
    const headers = { 'webhook-id': 'evt_1', 'content-type': contentType }
    return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  }
})

describe('A process that watches', () => {
  it('fails over one wrong frame', async () => {
    const program = new URL('support/wrong-frame.ts', import.meta.url)
    const child = spawn(process.execPath, [program.pathname], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [code, complaint] = await Promise.all([once(child, 'close'), text(child.stderr)])
    assert.equal(code[0], 1)
    assert.match(complaint, /Error: allEvents: a shout is not described here/)
  })
})

function watched(t: TestContext): Noted {
  const noted = noting()
  const stops = [watchConnections(noted), watchDeliveries(noted)]
  t.after(() => {
    for (const stop of stops) stop()
  })
  return noted
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { fromFile, Parser } from '@asyncapi/parser'
import { asyncApiFile, describedStreams } from '../../scripts/asyncapi.ts'
import { ClientFrame, closeCodes } from '../../src/http/streams/client-frames.ts'
import { eventTypes } from '../../src/sessions/events.ts'
import {
  asyncApiYaml,
  messageErrors,
  messagesOf,
  nameOf,
  streams,
} from '../support/described-streams.ts'

const names = (...place: Parameters<typeof messagesOf>) => [...messagesOf(...place).keys()]

describe('openapi/asyncapi.yaml', () => {
  it('is what the code gives', () => {
    assert.equal(describedStreams(), asyncApiYaml, 'run: npm run openapi')
  })

  it('is AsyncAPI 3.0 without a finding of its parser', async () => {
    const { document, diagnostics } = await fromFile(
      new Parser(),
      fileURLToPath(asyncApiFile),
    ).parse()
    const findings = diagnostics.map(({ code, message, path }) => `${code}: ${message} ${path}`)
    // 3.1 is out; tools read 3.0.
    const ofInterest = findings.filter((finding) => !finding.startsWith('asyncapi-latest-version'))
    assert.deepEqual(ofInterest, [])
    assert.equal(document?.version(), '3.0.0')
    assert.deepEqual(
      document
        ?.channels()
        .all()
        .map((channel) => channel.address()),
      ['/v1/sessions/{sessionId}/events', '/v1/events', '/v1/sessions/{sessionId}/ws', null, null],
    )
  })

  it('is of the version the package is of', () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    )
    assert.equal(streams.info.version, version)
  })

  it('has on each channel every event of the journal, and what else comes there', () => {
    const journal = [...eventTypes]
    assert.deepEqual(names('sessionEvents', 'gateway'), [...journal, 'typing', 'stream.reset'])
    assert.deepEqual(names('allEvents', 'gateway'), [...journal, 'stream.reset'])
    const toSocket = [...journal, 'typing', 'stream.reset', 'ack', 'error']
    assert.deepEqual(names('sessionSocket', 'gateway'), toSocket)
    assert.deepEqual(names('webhook', 'gateway'), journal)
    assert.deepEqual(names('analyticsWebhook', 'gateway'), [
      'session_started',
      'message_transmission',
    ])
  })

  it('lists under each channel what its operations send and receive', () => {
    for (const [channel, { messages }] of Object.entries(streams.channels)) {
      const listed = Object.keys(messages).map((key) => streams.components.messages[key]?.name)
      const said = [...names(channel, 'gateway'), ...names(channel, 'client')]
      assert.deepEqual(said.toSorted(), listed.toSorted())
    }
  })

  it('has what a client may say, as the gateway takes it, and only on the socket', () => {
    const said = messagesOf('sessionSocket', 'client')
    assert.deepEqual(
      [...said.keys()],
      ClientFrame.options.map(({ shape }) => shape.type.value),
    )
    for (const { examples } of said.values()) {
      for (const { payload } of examples) assert.ok(ClientFrame.safeParse(payload).success)
    }
    for (const channel of Object.keys(streams.channels)) {
      if (channel !== 'sessionSocket') assert.deepEqual(names(channel, 'client'), [])
    }
  })

  it('has every close code with its meaning', () => {
    const described = streams.channels.sessionSocket?.['x-close-codes'] ?? {}
    assert.deepEqual(Object.keys(described).map(Number), Object.values(closeCodes).sort())
    for (const meaning of Object.values(described)) assert.match(meaning, /^[A-Z].{10,}/)
  })

  for (const message of Object.values(streams.components.messages)) {
    it(`shows a ${message.name} that is one, and would notice one that is not`, () => {
      assert.ok(message.examples.length > 0)
      for (const { payload } of message.examples) {
        assert.deepEqual(messageErrors(message, payload), [])
        assert.equal(nameOf(payload), message.name)
        const called = Object.keys(payload).find((key) => payload[key] === message.name) ?? ''
        assert.notDeepEqual(messageErrors(message, { ...payload, [called]: 'another' }), [])
        assert.notDeepEqual(messageErrors(message, { ...payload, unheard: 'of' }), [])
      }
    })
  }
})

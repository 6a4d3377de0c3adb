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
  fromClient,
  fromGateway,
  messageErrors,
  streams,
} from '../support/described-streams.ts'

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
      ['/v1/sessions/{sessionId}/events', '/v1/events', '/v1/sessions/{sessionId}/ws', null],
    )
  })

  it('is of the version the package is of', () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    )
    assert.equal(streams.info.version, version)
  })

  it('has every event type, and what else a client can get', () => {
    assert.deepEqual(
      fromGateway.map(({ name }) => name),
      [...eventTypes, 'typing', 'stream.reset', 'ack', 'error'],
    )
  })

  it('has every event of the journal on every channel', () => {
    for (const { messages } of Object.values(streams.channels)) {
      const events = Object.keys(messages).slice(0, eventTypes.length)
      assert.deepEqual(events, Object.keys(streams.components.messages).slice(0, eventTypes.length))
    }
  })

  it('has what a client may say, as the gateway takes it', () => {
    assert.deepEqual(
      fromClient.map(({ name }) => name),
      ClientFrame.options.map(({ shape }) => shape.type.value),
    )
    for (const { examples } of fromClient) {
      for (const { payload } of examples) assert.ok(ClientFrame.safeParse(payload).success)
    }
  })

  it('has every close code with its meaning', () => {
    const described = streams.channels.sessionSocket?.['x-close-codes'] as Record<string, string>
    assert.deepEqual(Object.keys(described).map(Number), Object.values(closeCodes).sort())
    for (const meaning of Object.values(described)) assert.match(meaning, /^[A-Z].{10,}/)
  })

  for (const message of [...fromGateway, ...fromClient]) {
    it(`shows a ${message.name} that is one, and would notice one that is not`, () => {
      assert.ok(message.examples.length > 0)
      for (const { payload } of message.examples) {
        assert.deepEqual(messageErrors(message, payload), [])
        assert.equal(payload.type, message.name)
        assert.notDeepEqual(messageErrors(message, { ...payload, type: 'another' }), [])
        assert.notDeepEqual(messageErrors(message, { ...payload, unheard: 'of' }), [])
      }
    })
  }
})

import type { Writable } from 'node:stream'
import * as ws from 'ws'
import { nameOf, type Speaker, streams, textErrors } from '../described-streams.ts'
import { isNonsense } from './nonsense.ts'
import type { Witness } from './witness.ts'

/** The part of ws that reads frames, which its types leave out. */
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable }

/** RFC 6455's own: an end in peace, and what a client did that is no WebSocket any more. */
const codesOfTheProtocol = [1000, 1001, 1002, 1003, 1005, 1007, 1009]

/** Takes the bytes of one direction of a WebSocket, cut anywhere. */
export function watchFrames(
  channel: string,
  speaker: Speaker,
  witness: Witness,
): (bytes: Buffer) => void {
  const isGateway = speaker === 'gateway'
  const fault = (what: string) => witness.fault(`${channel}: the ${speaker} says ${what}`)
  const codes = Object.keys(streams.channels[channel]?.['x-close-codes'] ?? {}).map(Number)
  const receiver = new Receiver({
    allowSynchronousEvents: true,
    isServer: !isGateway,
    maxPayload: 0,
    // Of a client that is looked at below, for it may be nonsense.
    skipUTF8Validation: !isGateway,
  })
  receiver.on('message', (frame: Buffer, isBinary: boolean) => {
    const text = frame.toString()
    const errors = isBinary ? ['a binary frame'] : textErrors(channel, speaker, text)
    if (errors.length === 0) witness.saw(channel, speaker, nameOf(JSON.parse(text)) ?? '')
    else if (isGateway || !isNonsense(frame)) fault(`${errors.join('; ')}: ${text}`)
  })
  receiver.on('conclude', (code: number) => {
    if (!isGateway || codes.includes(code) || codesOfTheProtocol.includes(code)) return
    fault(`a close code that is not described: ${code}`)
  })
  receiver.on('error', (error) => fault(`what is no WebSocket: ${error.message}`))
  return (bytes) => {
    if (receiver.writableEnded || receiver.destroyed) return
    // A client's frames are unmasked where they lie, and these bytes are still to be sent.
    receiver.write(isGateway ? bytes : Buffer.from(bytes))
  }
}

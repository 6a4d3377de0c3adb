/** Newline-delimited JSON in, one parsed value a line. */
import { GatewayError } from '../errors.ts'
import { invalidRequest } from './validation.ts'

export type Line = { number: number; value: unknown } | { number: number; error: GatewayError }

/**
 * Lines as they arrive, numbered from 1; blank ones count and are left out. A line that is not JSON in UTF-8 comes as
 * its error and the rest goes on; from `maxBytes` on there is one `body-too-large`, and what follows is thrown away:
 * a connection with half a body in it could not be used again.
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<Line> {
  let number = 0
  let room = maxBytes
  let rest: Buffer[] = []
  for await (const whole of chunks) {
    if (room < 0) continue
    const chunk = whole.subarray(0, room)
    room -= whole.length
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      number += 1
      const line = parseLine(number, Buffer.concat([...rest, chunk.subarray(from, end)]))
      if (line) yield line
      rest = []
      from = end + 1
    }
    if (room < 0) {
      rest = []
      const error = new GatewayError('body-too-large', `The body is over ${maxBytes} bytes`)
      yield { number: number + 1, error }
    } else if (from < chunk.length) rest.push(chunk.subarray(from))
  }
  const last = parseLine(number + 1, Buffer.concat(rest))
  if (last) yield last
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseLine(number: number, bytes: Buffer): Line | undefined {
  try {
    const text = utf8.decode(bytes)
    return text.trim() === '' ? undefined : { number, value: JSON.parse(text) }
  } catch {
    const error = invalidRequest([{ pointer: '', detail: 'is not JSON in UTF-8' }])
    return { number, error }
  }
}

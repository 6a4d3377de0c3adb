import { nameOf, textErrors } from '../described-streams.ts'
import { eventStreamReader } from '../event-stream.ts'
import type { Witness } from './witness.ts'

/** Takes the bytes of an event stream as its client gets them, cut anywhere. */
export function watchEvents(channel: string, witness: Witness): (bytes: Buffer) => void {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const read = eventStreamReader({
    // An id on its own tells where to come back, and what asks to wait ends so too.
    block: (data, id) => {
      if (data !== undefined) event(data, id)
    },
    comment: () => undefined,
    retry: () => undefined,
    unknown: (line) => witness.fault(`${channel}: not a line of an event stream: ${line}`),
  })

  function event(data: string, id: string | undefined): void {
    const errors = textErrors(channel, 'gateway', data)
    if (errors.length > 0) {
      witness.fault(`${channel}: ${errors.join('; ')}: ${data}`)
      return
    }
    const value = JSON.parse(data) as { sequence?: number }
    if (isIdOf(channel, value, id)) witness.saw(channel, 'gateway', nameOf(value) ?? '')
    else witness.fault(`${channel}: the id ${id} is not that of ${data}`)
  }

  return (bytes) => {
    try {
      read(decoder.decode(bytes, { stream: true }))
    } catch (error) {
      witness.fault(`${channel}: not UTF-8: ${String(error)}`)
    }
  }
}

function isIdOf(
  channel: string,
  { sequence }: { sequence?: number },
  id: string | undefined,
): boolean {
  if (sequence === undefined) return id === undefined
  // The stream of all sessions has ids of its own.
  return channel === 'sessionEvents' ? id === String(sequence) : id !== undefined
}

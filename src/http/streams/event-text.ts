/** Events as clients get them, made once however many there are. */
import type { JournalEvent } from '../../sessions/events.ts'
import { cloudEvent } from '../../sessions/views.ts'

const lines = new WeakMap<JournalEvent, string>()
const frames = new WeakMap<JournalEvent, Buffer>()

/** The event's JSON in one line, for SSE. */
export function lineOf(event: JournalEvent): string {
  let line = lines.get(event)
  if (line === undefined) {
    line = inOneLine(cloudEvent(event))
    lines.set(event, line)
  }
  return line
}

/** The event's JSON in UTF-8, for WebSockets. Shared: not to be written to. */
export function frameOf(event: JournalEvent): Buffer {
  let frame = frames.get(event)
  if (frame === undefined) {
    frame = Buffer.from(cloudEvent(event))
    frames.set(event, frame)
  }
  return frame
}

/** JSON keeps these as they are, and some clients (Python's `splitlines`) would end an SSE line at them. */
function inOneLine(json: string): string {
  return json.replace(
    /[\u0085\u2028\u2029]/g,
    (lineBreak) => `\\u${lineBreak.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

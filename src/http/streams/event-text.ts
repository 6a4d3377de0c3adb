import type { JournalEvent } from '../../sessions/events.ts'
import { cloudEvent } from '../../sessions/views.ts'

const texts = new WeakMap<JournalEvent, string>()
const frames = new WeakMap<JournalEvent, Buffer>()

/** The event's JSON in one line, made once however many readers it has. */
export function textOf(event: JournalEvent): string {
  let text = texts.get(event)
  if (text === undefined) {
    text = inOneLine(cloudEvent(event))
    texts.set(event, text)
  }
  return text
}

/** The same in UTF-8. Shared: not to be written to. */
export function bytesOf(event: JournalEvent): Buffer {
  let bytes = frames.get(event)
  if (bytes === undefined) {
    bytes = Buffer.from(textOf(event))
    frames.set(event, bytes)
  }
  return bytes
}

/** JSON keeps these as they are, and some clients (Python's `splitlines`) would end an SSE line at them. */
function inOneLine(json: string): string {
  return json.replace(
    /[\u0085\u2028\u2029]/g,
    (lineBreak) => `\\u${lineBreak.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

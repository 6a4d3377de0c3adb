import type { StreamDialect, StreamNews, UpstreamGuest } from '../genesys/dialect.ts'
import type { Json } from '../json.ts'

/** What a frame says. Nothing, when it cannot be understood: that is no reason to lose a guest. */
export function newsIn(
  text: string,
  stream: StreamDialect,
  { guest, at, onTrouble }: { guest: UpstreamGuest; at: number; onTrouble(error: unknown): void },
): StreamNews[] {
  let frame: Json
  try {
    frame = JSON.parse(text) as Json
  } catch {
    return []
  }
  try {
    return stream.read(frame, guest, at)
  } catch (error) {
    onTrouble(error)
    return []
  }
}

/** What of a session its dialect reads a frame with. */
export function guestOf({
  guestId,
  conversationId,
  upstream,
  secrets,
}: UpstreamGuest): UpstreamGuest {
  return { guestId, conversationId, upstream, secrets }
}

/** What a frame calls itself, for the log: names only, so that nothing of a conversation gets there. */
export function frameName(frame: Json): string {
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return 'no object'
  const names = [frame.class ?? frame.type, frame.event].filter(isName)
  return names.length > 0 ? names.join(' ') : 'nameless'
}

function isName(value: Json | undefined): boolean {
  return typeof value === 'string' && /^[A-Za-z][\w.-]{0,39}$/.test(value)
}

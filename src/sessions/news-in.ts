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

import type { Clock } from '../clock.ts'
import type { StreamDialect, StreamHosts } from '../genesys/dialect.ts'
import type { Dialer, StreamSocket } from '../genesys/socket.ts'
import { newsIn } from './news-in.ts'
import type { Session } from './session.ts'

export interface FarewellDeps {
  clock: Clock
  dialer: Dialer
  hosts: StreamHosts
  ackTimeoutMs: number
}

/**
 * Says goodbye for a guest, where its dialect does: over the stream while it is open, else over a connection made for
 * that alone, which nobody waits for. Tried once: the session is over here whatever comes of it.
 */
export async function sayGoodbye(
  deps: FarewellDeps,
  stream: StreamDialect,
  session: Session,
  open: StreamSocket | undefined,
): Promise<void> {
  const frames = (stream.goodbye?.(session) ?? []).map((frame) => JSON.stringify(frame))
  if (open) for (const frame of frames) await open.send(frame).catch(() => undefined)
  else if (frames.length > 0) dialToLeave(deps, stream, session, frames)
}

function dialToLeave(
  { clock, dialer, hosts, ackTimeoutMs }: FarewellDeps,
  stream: StreamDialect,
  session: Session,
  frames: readonly string[],
): void {
  const opening = stream.open(session, hosts, clock.now())
  const leave = () => {
    for (const frame of frames) socket.send(frame).catch(() => undefined)
    socket.close()
  }
  const socket = dialer.dial(opening, {
    opened: () => {
      if (opening.readyWhen === 'opened') leave()
    },
    frame: (text) => {
      const at = clock.now()
      const news = newsIn(text, stream, { guest: session, at, onTrouble: () => undefined })
      if (news.some(({ kind }) => kind === 'ready')) leave()
    },
    ended: () => cancel(),
  })
  const cancel = clock.after(ackTimeoutMs, () => socket.close())
}

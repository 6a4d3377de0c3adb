import type { Clock } from '../clock.ts'
import type { StreamDialect, StreamHosts } from '../genesys/dialect.ts'
import type { Dialer, StreamSocket } from '../genesys/socket.ts'
import type { Trace } from '../trace.ts'
import { newsIn } from './news-in.ts'
import { redialDelayMs } from './redial.ts'
import type { Session } from './session.ts'

export interface FarewellDeps {
  clock: Clock
  dialer: Dialer
  hosts: StreamHosts
  ackTimeoutMs: number
}

/** Over a connection of its own, where the first does not come about. */
const mostTries = 4

/**
 * Says goodbye for a guest, where its dialect does: over the stream while it is open, else over a connection made for
 * that alone, which nobody waits for. The session is over here whatever comes of it. `session` is the guest as it was.
 */
export async function sayGoodbye(
  deps: FarewellDeps,
  stream: StreamDialect,
  session: Session,
  open: StreamSocket | undefined,
  trace: Trace | null,
): Promise<void> {
  const frames = (stream.goodbye?.(session, trace) ?? []).map((frame) => JSON.stringify(frame))
  if (open) for (const frame of frames) await open.send(frame).catch(() => undefined)
  else if (frames.length > 0) dialToLeave(deps, stream, session, { frames, trace })
}

function dialToLeave(
  deps: FarewellDeps,
  stream: StreamDialect,
  session: Session,
  goodbye: { frames: readonly string[]; trace: Trace | null },
  tries = 1,
): void {
  const { clock, dialer, hosts, ackTimeoutMs } = deps
  const { frames, trace } = goodbye
  const opening = stream.open(session, hosts, clock.now(), trace)
  const leave = () => {
    for (const frame of frames) socket.send(frame).catch(() => undefined)
    socket.close()
  }
  const socket = dialer.dial(
    opening,
    { sessionId: session.id, trace },
    {
      opened: () => {
        if (opening.readyWhen === 'opened') leave()
      },
      frame: (text) => {
        const at = clock.now()
        const news = newsIn(text, stream, { guest: session, at, onTrouble: () => undefined })
        if (news.some(({ kind }) => kind === 'ready')) leave()
      },
      ended: ({ by }) => {
        cancel()
        if (by === 'us' || tries === mostTries || dialer.stopped) return
        const again = () => dialToLeave(deps, stream, session, goodbye, tries + 1)
        clock.after(redialDelayMs(tries), () => dialer.stopped || again())
      },
    },
  )
  const cancel = clock.after(ackTimeoutMs, () => socket.close())
}

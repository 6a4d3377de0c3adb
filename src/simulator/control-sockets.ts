/** What the control can do to open WebSockets. */
import { z } from 'zod'
import type { Links } from './sockets/links.ts'

const filter = {
  id: z.string().optional(),
  /** `surface.socket`, or a whole surface. */
  operation: z.string().optional(),
  /** A guest's or session's id. */
  subject: z.string().optional(),
}
const SocketFilter = z.strictObject(filter)
const SocketDrop = z.strictObject({
  ...filter,
  /** Absent: cut without a close frame. */
  code: z.int().min(1000).max(4999).optional(),
  reason: z.string().default(''),
})
const SocketFreeze = z.strictObject({ ...filter, frozen: z.boolean().default(true) })
const SocketPush = z.strictObject({ ...filter, frame: z.looseObject({}) })

export interface OpenSocket {
  id: string
  operation: string
  subject: string
  /** Epoch ms. */
  openedAt: number
  frozen: boolean
  frames: { toGuest: number; fromGuest: number }
}

/** Each takes a filter, where what is absent does not matter, and returns how many sockets it hit. */
export interface SocketControl {
  list(filter?: z.input<typeof SocketFilter>): OpenSocket[]
  /** Resolves when exactly so many are open. */
  settled(count: number, filter?: z.input<typeof SocketFilter>): Promise<void>
  drop(order?: z.input<typeof SocketDrop>): number
  /** Half open: nothing is read or written any more, not even a pong. Or back. */
  freeze(order?: z.input<typeof SocketFreeze>): number
  /** Sends a frame of one's own making. */
  push(order: z.input<typeof SocketPush>): number
}

export function createSocketControl(links: () => Links): SocketControl {
  return {
    list: (given) =>
      links()
        .list(SocketFilter.parse(given ?? {}))
        .map(({ origin, subject, openedAt, frozen, frames }) => {
          const { id, operation } = origin
          return { id, operation, subject, openedAt, frozen, frames: { ...frames } }
        }),
    settled: (count, given) => links().settled(count, SocketFilter.parse(given ?? {})),
    drop: (order) => {
      const { code, reason, ...which } = SocketDrop.parse(order ?? {})
      const hit = links().list(which)
      for (const link of hit) {
        if (code === undefined) {
          link.destroy()
        } else {
          link.freeze(false)
          link.close(code, reason)
        }
      }
      return hit.length
    },
    freeze: (order) => {
      const { frozen, ...which } = SocketFreeze.parse(order ?? {})
      const hit = links().list(which)
      for (const link of hit) link.freeze(frozen)
      return hit.length
    },
    push: (order) => {
      const { frame, ...which } = SocketPush.parse(order)
      const hit = links().list(which)
      for (const link of hit) link.send(frame)
      return hit.length
    },
  }
}

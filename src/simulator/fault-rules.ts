/**
 * The faults there are. A request rule goes wrong before the operation is carried out (nothing happened) or after (it
 * happened, and only the answer suffers). The upgrade to a WebSocket is a request, `surface.connect`, with no after.
 * A frame rule, its kind starting with `frame-`, hits single frames of the sockets that came of it.
 */
import { z } from 'zod'

const filter = {
  /** `surface.operation`, or a whole surface. Absent: every request or frame. */
  operation: z.string().optional(),
  clientId: z.string().optional(),
  /** Only requests or frames whose path or body has this text. */
  contains: z.string().optional(),
  /** Lets this many matching ones pass first. */
  skip: z.int().nonnegative().default(0),
  /** Hits this many, then is spent. Absent: until removed. */
  count: z.int().positive().optional(),
  /** The share of matching ones hit, drawn from the seed. */
  probability: z.number().min(0).max(1).default(1),
}
const moment = z.enum(['before', 'after'])
const direction = z.enum(['to-guest', 'from-guest']).default('to-guest')

export const RequestRule = z.discriminatedUnion('kind', [
  /** The answer comes late. */
  z.strictObject({
    kind: z.literal('latency'),
    latencyMs: z.number().nonnegative(),
    when: moment.default('before'),
    ...filter,
  }),
  /** A bare status, with the platform's error body unless another is given. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    body: z.unknown().optional(),
    /** Sent as it is. */
    retryAfter: z.union([z.string(), z.number()]).optional(),
    when: moment.default('before'),
    ...filter,
  }),
  /** 429 with `Retry-After`, whatever the quota says. */
  z.strictObject({
    kind: z.literal('rate-limit'),
    /** Seconds, or a date as it should be sent. */
    retryAfter: z.union([z.string(), z.number()]).default(1),
    when: z.literal('before').default('before'),
    ...filter,
  }),
  /** The connection is reset without a word. */
  z.strictObject({ kind: z.literal('reset'), when: moment.default('before'), ...filter }),
  /** The connection stays open and nothing comes. */
  z.strictObject({ kind: z.literal('hang'), when: moment.default('before'), ...filter }),
  /** A success status with a body that is not JSON. */
  z.strictObject({ kind: z.literal('malformed'), when: moment.default('after'), ...filter }),
  /** Head and half a body, then the connection is closed. */
  z.strictObject({ kind: z.literal('truncated'), when: moment.default('after'), ...filter }),
])
export type RequestRule = z.infer<typeof RequestRule>

export const FrameRule = z.discriminatedUnion('kind', [
  /** The frame is lost. With `contains` an ack can be swallowed. */
  z.strictObject({ kind: z.literal('frame-drop'), direction, ...filter }),
  /** The frame comes again. */
  z.strictObject({
    kind: z.literal('frame-duplicate'),
    /** How many times more. */
    times: z.int().positive().default(1),
    direction,
    ...filter,
  }),
  /** The frame comes late; others overtake it. */
  z.strictObject({
    kind: z.literal('frame-delay'),
    delayMs: z.number().nonnegative(),
    /** At most this much is added, drawn from the seed: frames change places. */
    jitterMs: z.number().nonnegative().default(0),
    direction,
    ...filter,
  }),
  /** Frames are held until there are so many of them, and then come in reverse order. */
  z.strictObject({
    kind: z.literal('frame-shuffle'),
    size: z.int().min(2).default(3),
    /** What is held leaves after this long, even when there are fewer. */
    holdMs: z.number().nonnegative().default(250),
    direction,
    ...filter,
  }),
  /** The frame is not JSON any more. */
  z.strictObject({ kind: z.literal('frame-malformed'), direction, ...filter }),
  /** The frame passes, then the socket is closed. `skip: n - 1` makes it the n-th. */
  z.strictObject({
    kind: z.literal('frame-close'),
    /** Absent: without a close frame. */
    code: z.int().min(1000).max(4999).optional(),
    reason: z.string().default(''),
    direction,
    ...filter,
  }),
  /** The frame passes, then the socket hangs half open: nothing is read or written, not even a pong. */
  z.strictObject({ kind: z.literal('frame-freeze'), direction, ...filter }),
  /** Instead of being acted on the guest's frame is refused, the way its surface refuses frames. */
  z.strictObject({
    kind: z.literal('frame-refuse'),
    code: z.int().positive().default(5000),
    message: z.string().default('The platform could not answer'),
    direction: z.literal('from-guest').default('from-guest'),
    ...filter,
  }),
])
export type FrameRule = z.infer<typeof FrameRule>

export const FaultRule = z.union([RequestRule, FrameRule])
export type FaultRule = z.infer<typeof FaultRule>
export type FaultRequest = z.input<typeof FaultRule>

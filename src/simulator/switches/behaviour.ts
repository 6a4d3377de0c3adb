/**
 * How the platform behaves: every switch, by surface, with its default. Where the documents allow two readings there
 * is a switch. All of them can change while the simulator runs (`PATCH /__simulator/options`).
 */
import { z } from 'zod'
import { commonSwitches } from './common.ts'
import { ConversationsSwitches } from './conversations.ts'
import { GuestSessionsSwitches } from './guest-sessions.ts'
import { MessagingGuestsSwitches } from './messaging-guests.ts'
import { WebMessagingSwitches } from './web-messaging.ts'

export const Behaviour = z.strictObject({
  ...commonSwitches,
  conversations: ConversationsSwitches.prefault({}),
  guestSessions: GuestSessionsSwitches.prefault({}),
  messagingGuests: MessagingGuestsSwitches.prefault({}),
  webMessaging: WebMessagingSwitches.prefault({}),
})
export type Behaviour = z.infer<typeof Behaviour>

/** Any part of it: what is not named stays as it is. */
export type BehaviourChange = PartOf<Behaviour>

type PartOf<T> = {
  [K in keyof T]?:
    | (T[K] extends readonly unknown[] ? T[K] : T[K] extends object ? PartOf<T[K]> : T[K])
    | undefined
}

/** Another behaviour with the change made. Throws a ZodError on a switch or a value that is not there. */
export function changedBehaviour(
  behaviour: Behaviour | undefined,
  change: BehaviourChange,
): Behaviour {
  return Behaviour.parse(overlaid(behaviour ?? {}, change))
}

function overlaid(below: unknown, above: unknown): unknown {
  if (!isSection(below) || !isSection(above)) return above === undefined ? below : above
  const names = new Set([...Object.keys(below), ...Object.keys(above)])
  return Object.fromEntries([...names].map((name) => [name, overlaid(below[name], above[name])]))
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

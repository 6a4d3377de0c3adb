/** The ways the end of a token may be written. */
import type { Behaviour } from '../../switches/behaviour.ts'

export type ExpiryFormat = Behaviour['guestSessions']['expiresAtFormat']

const hoursEast = 2

export function writeExpiry(at: number, format: ExpiryFormat): string | number {
  switch (format) {
    case 'z':
      return new Date(at).toISOString()
    case 'offset':
      return new Date(at + hoursEast * 3_600_000).toISOString().replace('Z', `+0${hoursEast}:00`)
    case 'no-zone':
      return new Date(at).toISOString().replace('Z', '')
    case 'epoch-seconds':
      return Math.floor(at / 1_000)
  }
}

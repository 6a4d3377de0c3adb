/** The dialects this gateway speaks. Adding one adds its file and a line here. */
import type { DialectName } from '../../sessions/session.ts'
import type { Dialect } from '../dialect.ts'
import { externalGuests } from './external-guests.ts'

export const dialects: Partial<Record<DialectName, Dialect>> = {
  'external-guests': externalGuests,
}

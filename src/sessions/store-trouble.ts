import { GatewayError } from '../errors.ts'
import { StoreUnavailable } from '../store/store.ts'

/** What failed in the store, as callers are told it: `overloaded` when it takes no writes; anything else as it is. */
export function storeTrouble(cause: unknown): unknown {
  if (!(cause instanceof StoreUnavailable)) return cause
  const detail = 'The store cannot take writes now; nothing was changed'
  return new GatewayError('overloaded', detail, { cause, retryable: true, retryAfterMs: 5000 })
}

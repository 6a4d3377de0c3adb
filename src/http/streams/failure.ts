import type { FastifyBaseLogger } from 'fastify'
import { GatewayError } from '../../errors.ts'
import { StoreUnavailable } from '../../store/store.ts'

/** What to tell a client where no route answers for us. What nobody foresaw is logged, and is our fault. */
export function failureOf(error: unknown, logger: FastifyBaseLogger): GatewayError {
  if (error instanceof GatewayError) return error
  if (error instanceof StoreUnavailable) {
    return new GatewayError('overloaded', 'The store cannot be used now', {
      retryable: true,
      retryAfterMs: 5000,
      cause: error,
    })
  }
  logger.error({ err: error }, 'a stream failed unexpectedly')
  return new GatewayError('overloaded', 'The gateway failed to handle this')
}

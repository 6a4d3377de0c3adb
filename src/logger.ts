import { type DestinationStream, type Logger, pino } from 'pino'
import { GatewayError } from './errors.ts'
import { redact } from './redact.ts'

/** The gateway's log: a JSON line each. An error goes under the key `err`. */
export function createLogger(level: string, lines: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: errorFields },
    },
    lines,
  )
}

/** An error of a kind that is foreseen says what it is in its code and text; any other needs its stack to be found. */
function errorFields(error: Error): object {
  if (!(error instanceof GatewayError)) return pino.stdSerializers.err(error)
  const { name, code, message, upstream, cause } = error
  // What the platform says may repeat what a guest said, beyond the message, which is made for operators.
  const said = upstream && {
    status: upstream.status,
    code: upstream.code,
    contextId: upstream.contextId,
  }
  const because = cause instanceof Error && cause.message !== message && redact(cause.message)
  return { type: name, code, message, ...(said && { upstream: said }), ...(because && { because }) }
}

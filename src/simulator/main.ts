/**
 * The simulator by itself. Reads SIMULATOR_PORT, SIMULATOR_ACTIVATION_MS and SIMULATOR_RATE_LIMIT (`100/60s` or
 * `off`); prints where it is and how to get in, one `name: value` per line; ends on SIGTERM or SIGINT.
 */
import { z } from 'zod'
import { startSimulator } from './simulator.ts'
import { parseRateLimit } from './switches/rate-limit.ts'

const Environment = z.object({
  SIMULATOR_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  SIMULATOR_ACTIVATION_MS: z.coerce.number().nonnegative().optional(),
  SIMULATOR_RATE_LIMIT: z
    .string()
    .regex(/^(off|\d+\/\d+(ms|s|m))$/, 'looks like 100/60s or off')
    .transform(parseRateLimit)
    .optional(),
})

async function main(): Promise<void> {
  const given = Object.entries(process.env).filter(([, value]) => value !== '')
  const environment = Environment.safeParse(Object.fromEntries(given))
  if (!environment.success) {
    console.error(z.prettifyError(environment.error))
    process.exitCode = 1
    return
  }
  const { SIMULATOR_PORT, SIMULATOR_ACTIVATION_MS, SIMULATOR_RATE_LIMIT } = environment.data
  const simulator = await startSimulator({
    ...(SIMULATOR_PORT !== undefined && { port: SIMULATOR_PORT }),
    ...(SIMULATOR_ACTIVATION_MS !== undefined && { activationMs: SIMULATOR_ACTIVATION_MS }),
    ...(SIMULATOR_RATE_LIMIT !== undefined && { rateLimit: SIMULATOR_RATE_LIMIT }),
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void simulator[Symbol.asyncDispose]())
  }
  console.log(`url: ${simulator.url}`)
  for (const client of simulator.clients) {
    console.log(`client id: ${client.id}`)
    console.log(`client secret: ${client.secret}`)
  }
}

await main()

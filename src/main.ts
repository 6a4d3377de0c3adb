/** The process: environment, signals, exit code. The only reader of `process`. */
import { existsSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { type Gateway, startGateway } from './gateway.ts'
import { leaveHandover } from './handover.ts'
import { lastingWriter, logLines } from './log-lines.ts'
import { createLogger } from './logger.ts'
import { parseSettings, SettingsError } from './settings.ts'
import { StoreRefused } from './store/refused.ts'
import { StoreUnavailable } from './store/store.ts'
import { welcome } from './welcome.ts'

/** A stop that takes longer is cut short; what was accepted is in the store. */
const stopWithinMs = 10_000

/**
 * V8 makes at once in its old generation what a place in the code makes and most often lives on: here each state of a
 * session, which lives until the next. Whatever led to it followed it there, and waited for a full collection.
 */
const withoutPretenuring = '--no-allocation-site-pretenuring'

async function main(): Promise<void> {
  setFlagsFromString(withoutPretenuring)
  if (existsSync('.env')) process.loadEnvFile('.env')
  const settings = parseSettings(process.env)
  // When this fails too, nobody is left to tell.
  process.stderr.on('error', () => undefined)
  const print = lastingWriter(process.stdout, ({ message }) => {
    process.stderr.write(`The log cannot be written (${message}); the gateway goes on\n`)
  })
  const lines = logLines(print)
  process.on('exit', () => lines.flush())
  const logger = createLogger(settings.logLevel, lines)
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string }

  const gateway = await startGateway(settings, logger, version)
  print(welcome(gateway, settings.mode))
  const takeBack = gateway.generatedKey
    ? leaveHandover({ url: gateway.url, key: gateway.generatedKey })
    : () => undefined
  logger.info({ url: gateway.url, mode: settings.mode, version }, 'listening')
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Not `once`: npm repeats the terminal's Ctrl-C, and a signal without a handler would end the process mid-stop.
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      logger.info({ signal }, 'stopping')
      takeBack()
      void stop(gateway)
    })
  }
}

async function stop(gateway: Gateway): Promise<void> {
  setTimeout(() => process.exit(1), stopWithinMs).unref()
  await gateway[Symbol.asyncDispose]()
  process.exit(0)
}

const cannotListen: ReadonlySet<string | undefined> = new Set([
  'EADDRINUSE',
  'EACCES',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
])

/** What an operator can fix is said in a line; anything else keeps its stack. */
function explain(error: unknown): string {
  if (error instanceof SettingsError || error instanceof StoreRefused) return error.message
  if (error instanceof StoreUnavailable) return `The store does not take writes: ${error.message}`
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return cannotListen.has(code) ? error.message : (error.stack ?? error.message)
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
})

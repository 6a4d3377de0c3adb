/**
 * Checks an export of `GET /v1/audit`: `npm run audit:verify -- FILE [--key PUBLIC_KEY]`. Needs nothing but the file.
 * With a key, the export must be sealed by it. Ends with 0 when nothing is wrong, 1 when something is, 2 when it could
 * not be read or was not asked for like that.
 */
import { createReadStream } from 'node:fs'
import { parseArgs } from 'node:util'
import { ExportCheck, type ExportVerdict } from '../src/insight/export-check.ts'

async function check(file: string, trustedKey: string | undefined): Promise<ExportVerdict> {
  const found = new ExportCheck(trustedKey)
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) found.add(chunk)
  return found.verdict()
}

function said({ entries, broken, publicKey }: ExportVerdict): string {
  if (!broken) return `intact: ${entries} entries, sealed with the key ${publicKey}`
  const { line, number, action, sessionId, reason } = broken
  const named = [number !== null && `entry ${number}`, action, sessionId].filter(Boolean).join(', ')
  return `broken at line ${line}${named && ` (${named})`}: ${reason}`
}

/** What was asked for; undefined when it was not understood, or was `--help`. */
function asked(): { file: string; key: string | undefined } | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: { key: { type: 'string' } },
      allowPositionals: true,
    })
    const [file, ...others] = positionals
    return file === undefined || others.length > 0 ? undefined : { file, key: values.key }
  } catch {
    return undefined
  }
}

const wanted = asked()
if (!wanted) {
  console.error('Usage: npm run audit:verify -- FILE [--key PUBLIC_KEY]')
  process.exitCode = 2
} else {
  const { file, key } = wanted
  try {
    const verdict = await check(file, key)
    console.log(`${file}: ${said(verdict)}`)
    process.exitCode = verdict.broken ? 1 : 0
  } catch (error) {
    console.error(`${file}: could not be read: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 2
  }
}

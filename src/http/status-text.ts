import { createRequire } from 'node:module'

// An import reads all that node:http exports, among it a WebSocket that is loaded by that: 25 ms of a start for nothing.
const { STATUS_CODES } = createRequire(import.meta.url)('node:http') as typeof import('node:http')

/** What the status is called in a status line. */
export function statusText(status: number): string {
  return STATUS_CODES[status] ?? ''
}

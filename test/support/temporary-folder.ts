import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A folder that goes when the test is over. */
export function temporaryFolder(t: { after(end: () => void): void }): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'gateway-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { relayed } from './relay.ts'

/** Why a test cannot have Python; false when it can. */
export const pythonMissing: string | false = isThere() ? false : 'python3 is not installed'

function isThere(): boolean {
  try {
    execFileSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 9)'])
    return true
  } catch {
    return false
  }
}

export interface PythonProgram {
  /** Printed so far. */
  lines: string[]
  /** Resolves when it is done; rejects with what it complained of. */
  done: Promise<void>
}

/** Runs a program against a server, by a way on which this process sees what it gets and says. It ends with the test. */
export async function runPython(
  t: { after(end: () => void): void },
  program: URL,
  url: string,
  ...args: string[]
): Promise<PythonProgram> {
  const command = [program.pathname, await relayed(t, url), ...args]
  const child = spawn('python3', command, { stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const complaints: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line))
  const done = new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(complaints.join('\n')))))
  })
  // A test that fails first does not wait for it.
  done.catch(() => undefined)
  return { lines, done }
}

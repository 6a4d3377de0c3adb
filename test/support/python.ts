import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

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

/** Runs a program; it ends with the test. */
export function runPython(
  t: { after(end: () => void): void },
  program: URL,
  ...args: string[]
): PythonProgram {
  const child = spawn('python3', [program.pathname, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
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

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

export interface Program {
  child: ChildProcess
  /** All it has printed so far. */
  output(): string
  /** Resolves when it has printed that; fails when it ends first. */
  printed(text: string): Promise<void>
  /** Its exit code, once it has ended and all it printed is here. */
  ended: Promise<number | null>
}

/** Starts a program; a test that is over takes it along. */
export function startProgram(
  t: TestContext,
  command: readonly string[],
  { cwd, env }: { cwd: string; env?: NodeJS.ProcessEnv },
): Program {
  const [file = '', ...args] = command
  const child = spawn(file, args, {
    cwd,
    env: env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = once(child, 'close').then(() => child.exitCode)

  async function printed(text: string) {
    let over = false
    void ended.then(() => {
      over = true
    })
    while (!output.includes(text)) {
      assert.ok(!over, `it ended before it printed "${text}":\n${output}`)
      await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), ended])
    }
  }

  return { child, output: () => output, printed, ended }
}

/** Runs a program to its end. */
export async function runProgram(...start: Parameters<typeof startProgram>) {
  const program = startProgram(...start)
  return { code: await program.ended, output: program.output() }
}

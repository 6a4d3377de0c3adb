import type { SourceFile } from './repository.ts'

/**
 * Habits of this code that neither the compiler nor the linter keeps. A habit names the files it holds for and
 * the lines that break it, and shows one that does: a check that cannot fail checks nothing.
 */
export interface Habit {
  name: string
  holdsFor: (path: string) => boolean
  /** Files it does not hold for after all, each with the reason. */
  except?: Record<string, string>
  brokenBy: RegExp
  /** Lines it must find. */
  breaking: readonly string[]
  /** Lines that look alike and are fine. */
  fine: readonly string[]
}

const everywhere = () => true
const inTests = (path: string) => path.startsWith('test/')
/** Waiting for a condition is built on a short pause: in test/support, or in a `while` of one line. */
const inTestsProper = (path: string) => inTests(path) && !path.startsWith('test/support/')

export const habits: readonly Habit[] = [
  {
    // The linter refuses the type where no reason is given; a cast has none that holds.
    name: 'no cast to any',
    holdsFor: everywhere,
    brokenBy: /\bas any\b(?! of)/,
    breaking: ['const a = b as any', 'read(b as any[])'],
    fine: ['// counts as any of them', 'const a = b as anything'],
  },
  {
    name: 'no silenced compiler',
    holdsFor: everywhere,
    brokenBy: /@ts-(ignore|nocheck)/,
    breaking: ['// @ts-ignore', '// @ts-nocheck'],
    fine: ['// @ts-expect-error: the body is wrong on purpose'],
  },
  {
    name: 'no test that keeps others from running',
    holdsFor: inTests,
    brokenBy: /\b(it|test|describe|suite)\.only\(|\bonly: true\b/,
    breaking: ["it.only('works', () => {", "it('works', { only: true }, () => {"],
    fine: ["it('lists only what is open', () => {"],
  },
  {
    name: 'no skipped test without a printed reason',
    holdsFor: inTests,
    brokenBy:
      /\b(it|test|describe|suite)\.(skip|todo)\(|\b(skip|todo): true\b|\bt\.(skip|todo)\(\)/,
    breaking: [
      "it.skip('works', () => {",
      "it('works', { skip: true }, () => {",
      't.skip()',
      "it.todo('later')",
    ],
    fine: ["t.skip('redis-server is missing')", "it('works', { skip: redis.missing }, () => {"],
  },
  {
    name: 'no fixed sleep',
    holdsFor: inTestsProper,
    except: {
      'test/simulator/seed-program.test.ts': 'the program it acts out sleeps',
    },
    brokenBy:
      /^(?!.*\bwhile \().*(\bawait\s+(?!\w*([cC]lock|[tT]ime)\.)(\w+\.)*(sleep|delay|setTimeout|wait|pause)\(\s*[\d_]|\bsetTimeout\((r|res|resolve|done|ok),\s*[\d_])/,
    breaking: [
      'await sleep(500)',
      'await delay(2_000)',
      'await timers.setTimeout(100)',
      'await new Promise((resolve) => setTimeout(resolve, 50))',
    ],
    fine: [
      'while (!done()) await sleep(1)',
      'await clock.sleep(500)',
      'await time.sleep(5)',
      'await sleep(ms, signal)',
      'await once(socket, "close")',
    ],
  },
]

/** `path:line: habit: text` for each broken one. */
export function brokenHabits(files: readonly SourceFile[], kept = habits): string[] {
  return files.flatMap((file) => {
    const held = kept.filter(
      (habit) => habit.holdsFor(file.path) && !(file.path in (habit.except ?? {})),
    )
    return file.text
      .split('\n')
      .flatMap((line, index) =>
        held
          .filter((habit) => habit.brokenBy.test(line))
          .map((habit) => `${file.path}:${index + 1}: ${habit.name}: ${line.trim()}`),
      )
  })
}

/** One line for each file over the limit. */
export function longFiles(files: readonly SourceFile[], limit: number): string[] {
  return files.flatMap((file) => {
    const lines = file.text.trimEnd().split('\n').length
    return lines > limit ? [`${file.path} has ${lines} lines; ${limit} is the limit`] : []
  })
}

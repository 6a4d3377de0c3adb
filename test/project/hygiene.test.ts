import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { describe, it } from 'node:test'
import { brokenHabits, habits, longFiles } from './habits.ts'
import { takes } from './imports.ts'
import { readText, root, sourceFiles } from './repository.ts'

/** These hold samples of what is refused. */
const showingSamples = ['test/project/habits.ts', 'test/project/hygiene.test.ts']

const files = ['src', 'test', 'scripts']
  .flatMap((folder) => sourceFiles(folder, ['.ts', '.js', '.mjs']))
  .filter((file) => !showingSamples.includes(file.path))

describe('Every file', () => {
  it('keeps the habits', () => {
    assert.deepEqual(brokenHabits(files), [])
  })

  for (const habit of habits) {
    for (const line of habit.breaking) {
      it(`keeps "${habit.name}", broken by: ${line}`, () => {
        assert.deepEqual(brokenHabits([planted(line)], [habit]), [
          `test/planted.test.ts:1: ${habit.name}: ${line}`,
        ])
      })
    }
    for (const line of habit.fine) {
      it(`keeps "${habit.name}" with: ${line}`, () => {
        assert.deepEqual(brokenHabits([planted(line)], [habit]), [])
      })
    }
  }
})

describe('Every source file', () => {
  const limit = 300
  const sources = files.filter((file) => file.path.startsWith('src/'))

  it(`is read in one sitting: ${limit} lines at most`, () => {
    assert.deepEqual(longFiles(sources, limit), [])
  })

  it('imports node:http for its types only, as src/http/status-text.ts explains', () => {
    const atStart = sources.filter((file) => !file.path.startsWith('src/simulator/'))
    const taking = atStart.filter((file) => takes(file, 'node:http') || takes(file, 'node:https'))
    assert.deepEqual(
      taking.map(({ path }) => path),
      [],
    )
  })

  it('is noticed when it grows past the limit', () => {
    const file = planted('x\n'.repeat(limit + 1))
    assert.equal(longFiles([file], limit).length, 1)
    assert.equal(longFiles([planted('x\n'.repeat(limit))], limit).length, 0)
  })
})

describe('The top of the repository', () => {
  const expected = [
    ...['README.md', 'CHANGELOG.md', 'LICENSE'],
    ...['package.json', 'package-lock.json', '.npmrc', 'tsconfig.json', 'biome.json'],
    ...['src', 'test', 'scripts', 'openapi', '.ci'],
    ...['Dockerfile', '.dockerignore', 'docker-compose.yml', '.env.example'],
    ...['.gitignore', '.git'],
  ]
  const ignored = readText('.gitignore')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/\/$/, ''))

  it('holds nothing unexpected', () => {
    assert.deepEqual(unexpected(readdirSync(root)), [])
  })

  it('would show a stray file, and leaves what git ignores alone', () => {
    assert.deepEqual(unexpected(['src', 'notes.txt', 'npm-debug.log', 'node_modules']), [
      'notes.txt',
    ])
  })

  function unexpected(entries: readonly string[]): string[] {
    return entries.filter(
      (entry) =>
        !expected.includes(entry) && !ignored.some((pattern) => matchesGlob(entry, pattern)),
    )
  }
})

function planted(text: string) {
  return { path: 'test/planted.test.ts', text }
}

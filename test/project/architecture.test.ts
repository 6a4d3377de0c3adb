import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forbiddenImports, processUses } from './dependency-rules.ts'
import { importCircles, importsOf } from './imports.ts'
import { sourceFiles } from './repository.ts'

const sources = sourceFiles('src', ['.ts', '.js'])
const imports = sources.flatMap(importsOf)

describe('Imports between the folders of src', () => {
  it('point one way', () => {
    assert.deepEqual(forbiddenImports(imports), [])
  })

  it('form no circle', () => {
    assert.deepEqual(importCircles(imports), [])
  })

  it('are all read', () => {
    const file = planted(`
import a from './a.ts'
import type { B } from '../store/store.ts'
import {
  c,
  type D,
} from './deep/c.ts'
export { e } from './e.ts'
export type { F } from './f.ts'
import './g.ts'
import fs from 'node:fs'
const h = await import('./h.ts')
`)
    assert.deepEqual(
      importsOf(file).map(({ to, isType, line }) => [to, isType, line]),
      [
        ['src/http/a.ts', false, 2],
        ['src/store/store.ts', true, 3],
        ['src/http/deep/c.ts', false, 4],
        ['src/http/e.ts', false, 8],
        ['src/http/f.ts', true, 9],
        ['src/http/g.ts', false, 10],
        ['src/http/h.ts', false, 12],
      ],
    )
  })

  const refused = [
    ['src/http/a.ts', '../genesys/client.ts', 'src/genesys/client.ts'],
    ['src/sessions/a.ts', '../genesys/client.ts', 'types of genesys/client.ts'],
    ['src/sessions/a.ts', '../store/sqlite.ts', 'src/store/sqlite.ts'],
    ['src/sessions/a.ts', '../http/problems.ts', 'src/http/problems.ts'],
    ['src/genesys/a.ts', '../sessions/sender.ts', 'src/sessions/sender.ts'],
    ['src/genesys/a.ts', '../http/problems.ts', 'src/http/problems.ts'],
    ['src/store/a.ts', '../genesys/dialect.ts', 'src/genesys/dialect.ts'],
    ['src/simulator/a.ts', '../errors.ts', 'src/errors.ts'],
    ['src/http/a.ts', '../gateway.ts', 'src/gateway.ts'],
    ['src/gateway-parts/a.ts', '../json.ts', 'no rule'],
  ] as const
  for (const [from, specifier, named] of refused) {
    it(`are refused from ${from} to ${specifier}, by name`, () => {
      const found = importsOf(planted(`import { x } from '${specifier}'\n`, from))
      const [message, ...others] = forbiddenImports(found)
      assert.ok(message?.startsWith(from) && message.includes(named), message)
      assert.deepEqual(others, [])
    })
  }

  it('may be of types where the value may not', () => {
    const file = planted(`import type { x } from '../genesys/client.ts'\n`, 'src/sessions/a.ts')
    assert.deepEqual(forbiddenImports(importsOf(file)), [])
  })

  it('form a circle when one of a pair imports the other back, be it a type', () => {
    const pair = [
      planted(`import { b } from './b.ts'\n`, 'src/http/a.ts'),
      planted(`import type { A } from './a.ts'\n`, 'src/http/b.ts'),
    ]
    assert.deepEqual(importCircles(pair.flatMap(importsOf)), [['src/http/a.ts', 'src/http/b.ts']])
  })
})

describe('The process', () => {
  it('is looked at by the programs only', () => {
    assert.deepEqual(processUses(sources), [])
  })

  const uses = [
    'const region = process.env.REGION',
    `import process from 'node:process'`,
    `const { env } = globalThis.process['env']`,
    '  process.exit(1) // done',
  ]
  for (const use of uses) {
    it(`is found in: ${use}`, () => {
      assert.equal(processUses([planted(use)]).length, 1)
    })
  }

  it('may be spoken about, and used in main.ts', () => {
    const comment = planted(
      '/** Reads nothing of process.env. */\nstart() // never process.exit()\n',
    )
    assert.deepEqual(processUses([comment, planted('process.exit()', 'src/main.ts')]), [])
  })
})

function planted(text: string, path = 'src/http/planted.ts') {
  return { path, text }
}

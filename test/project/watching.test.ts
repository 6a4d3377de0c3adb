import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type SourceFile, sourceFiles } from './repository.ts'
import { gateways, unwatched, watch, waysOut, waysOutOf } from './watching.ts'

const tests = sourceFiles('test').filter(({ path }) => !path.startsWith('test/bench/'))
const files = [...tests, ...sourceFiles('src')]

/** What they start reads no stream of a gateway, or where it does, by a way through this process. */
const allowed: Record<string, string> = {
  'test/audit/export.test.ts': 'the program reads a file',
  'test/browser/types.test.ts': 'the compiler',
  'test/faults/corrupt-db.test.ts': 'the program writes a database',
  'test/faults/full-disk.test.ts': 'mount and prlimit',
  'test/faults/store-trouble.test.ts': 'prlimit',
  'test/project/programs.ts': 'npm scripts, and the image’s command with its own health check',
  'test/simulator/main.test.ts': 'the simulator',
  'test/store/kill.test.ts': 'the program writes a database',
  'test/streams/watched-wire.test.ts': 'the program watches by itself, which is what is tested',
  'test/support/chromium.ts': 'the browser’s proxy is this process',
  'test/support/gateway-process.ts': 'the gateway, whose clients are others',
  'test/support/python.ts': 'the URL that the program gets leads through this process',
}

describe('Every test file with a gateway', () => {
  it('watches that what comes of it is what openapi/asyncapi.yaml describes', () => {
    assert.deepEqual(unwatched(files), [])
  })

  it('is found out when it does not, however far away the gateway is', () => {
    for (const gateway of gateways) {
      const far = planted(`import { far } from './support/far.ts'`)
      const support = planted(`import { it } from '../../${gateway}'`, 'test/support/far.ts')
      assert.deepEqual(unwatched([far, support]), [far.path])
      const watching = planted(`${support.text}\nimport '../../${watch}'`, support.path)
      assert.deepEqual(unwatched([far, watching]), [])
      const onlyType = planted(`import type { It } from '../../${gateway}'`, support.path)
      assert.deepEqual(unwatched([far, onlyType]), [])
    }
  })

  it('would be found by the names the gateway’s parts have', () => {
    const paths = files.map(({ path }) => path)
    assert.deepEqual(
      [...gateways, watch].filter((path) => !paths.includes(path)),
      [],
    )
  })
})

describe('Every test', () => {
  it('talks with gateways from its own process, where it is watched', () => {
    const out = tests.filter(({ path }) => !(path in allowed)).flatMap(waysOutOf)
    assert.deepEqual(out, [])
  })

  it('still needs its exception where it has one', () => {
    const needed = tests.filter((file) => waysOutOf(file).length > 0).map(({ path }) => path)
    assert.deepEqual(
      Object.keys(allowed).filter((path) => !needed.includes(path)),
      [],
    )
  })

  it('would be found out', () => {
    for (const way of waysOut) {
      const lines = [
        `import { a } from '${way}'`,
        `import {\n  type A,\n  b,\n} from '${way}'`,
        `import '${way}'`,
        `const a = await import('${way}')`,
        `const a = process.getBuiltinModule('${way}')`,
      ]
      for (const line of lines) {
        assert.deepEqual(waysOutOf(planted(line)), [`test/planted.test.ts: ${way}`])
      }
      for (const line of [`import type { A } from '${way}'`, `let a: typeof import('${way}')`]) {
        assert.deepEqual(waysOutOf(planted(line)), [])
      }
    }
  })
})

function planted(text: string, path = 'test/planted.test.ts'): SourceFile {
  return { path, text }
}

import assert from 'node:assert/strict'
import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { runProgram, startProgram } from './programs.ts'
import { readText, root, sourceFiles } from './repository.ts'

const packageJson = JSON.parse(readText('package.json')) as {
  scripts: Record<string, string>
  engines: Record<string, string>
}

describe('npm scripts', () => {
  it('name files that exist', () => {
    const named = Object.values(packageJson.scripts).flatMap((script) =>
      script.match(/\S+\.m?ts|\S+\.mjs/g),
    )
    assert.deepEqual(
      named.filter((file) => file !== null && !existsSync(path.join(root, file))),
      [],
    )
  })
})

describe('npm run NAME', () => {
  it('has a script for each name the README and the sources give', () => {
    const texts = [
      { path: 'README.md', text: readText('README.md') },
      ...['src', 'scripts'].flatMap((folder) => sourceFiles(folder, ['.ts', '.mjs'])),
    ]
    const unknown = texts.flatMap(({ path: file, text }) =>
      [...text.matchAll(/\bnpm run ([\w-]+(?::\w+)*)/g)]
        .filter(([, name = '']) => !(name in packageJson.scripts))
        .map(([command]) => `${file}: ${command}`),
    )
    assert.deepEqual(unknown, [])
  })
})

describe('npm run quickstart', () => {
  it('installs packages once, then only starts the gateway', async (t) => {
    const cwd = temporaryProject(t, { main: `console.log('up', process.env.PORT)` })
    const env = { ...process.env, PORT: '4711' }

    const first = await runProgram(t, ['npm', 'run', 'quickstart'], { cwd, env })
    assert.match(first.output, /Installing packages/)
    assert.match(first.output, /^up 4711$/m)
    assert.equal(first.code, 0)

    const second = await runProgram(t, ['npm', 'run', 'quickstart'], { cwd, env })
    assert.doesNotMatch(second.output, /Installing packages/)
    assert.match(second.output, /^up 4711$/m)
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`passes ${signal} on and waits for the gateway to finish`, async (t) => {
      const cwd = temporaryProject(t, {
        main: `
          const alive = setInterval(() => {}, 1000)
          process.once('${signal}', () => setImmediate(() => {
            console.log('finished')
            clearInterval(alive)
          }))
          console.log('ready')`,
      })
      const quickstart = startProgram(t, ['npm', 'run', 'quickstart'], { cwd })
      await quickstart.printed('ready')
      quickstart.child.kill(signal)
      assert.equal(await quickstart.ended, 0)
      assert.match(quickstart.output(), /finished/)
    })
  }

  it('ends with the exit code of the gateway', async (t) => {
    const cwd = temporaryProject(t, { main: 'process.exitCode = 7' })
    const { code } = await runProgram(t, ['npm', 'run', 'quickstart'], { cwd })
    assert.equal(code, 7)
  })

  it('shows what npm said, and starts nothing, when packages cannot be installed', async (t) => {
    const cwd = temporaryProject(t, { main: `console.log('up')`, outOfStep: true })
    const { code, output } = await runProgram(t, ['npm', 'run', 'quickstart'], { cwd })
    assert.match(output, /package-lock\.json .* in sync/)
    assert.match(output, /npm ci failed with exit code 1/)
    assert.doesNotMatch(output, /^up$/m)
    assert.notEqual(code, 0)
  })

  it('says which Node it needs when there is none', async (t) => {
    const cwd = temporaryProject(t, { main: `console.log('up')`, node: '>=99' })
    const { code, output } = await runProgram(t, ['npm', 'run', 'quickstart'], { cwd })
    assert.match(output, /Node 99 is needed/)
    assert.equal(code, 1)
  })
})

describe('npm scripts that install nothing', () => {
  const names = ['start', 'dev', 'simulator', 'audit:verify', 'bench', 'openapi', 'settings']

  it('say to install, in one line, where nothing is installed', async (t) => {
    const cwd = temporaryProject(t, { main: `console.log('up')` })
    for (const name of names) {
      const { code, output } = await runProgram(t, ['npm', 'run', '--silent', name], { cwd })
      assert.equal(output, 'The packages are not installed yet. Run `npm ci` first.\n', name)
      assert.equal(code, 1)
    }
  })

  it('say which Node they need when there is an older one', async (t) => {
    const cwd = temporaryProject(t, { main: `console.log('up')`, node: '>=99' })
    await runProgram(t, ['npm', 'ci'], { cwd })
    const { code, output } = await runProgram(t, ['npm', 'run', '--silent', 'start'], { cwd })
    assert.match(output, /^Node 99 is needed.*\n$/)
    assert.equal(code, 1)
  })

  it('start once the packages are there', async (t) => {
    const cwd = temporaryProject(t, { main: `console.log('up')` })
    await runProgram(t, ['npm', 'ci'], { cwd })
    const { code, output } = await runProgram(t, ['npm', 'run', '--silent', 'start'], { cwd })
    assert.equal(output, 'up\n')
    assert.equal(code, 0)
  })
})

describe('npm test', () => {
  const skipping = `require('node:test').it('waits', { skip: 'no redis-server' }, () => {})`
  const passing = `require('node:test').it('passes', () => {})`

  it('lists skipped tests with their reasons', async (t) => {
    const cwd = temporaryProject(t, { test: skipping })
    const { code, output } = await npmTest(t, cwd, {})
    assert.match(output, /Skipped tests: 1\n\s+test\/one\.test\.ts:1 {2}waits: no redis-server/)
    assert.equal(code, 0)
  })

  it('fails on a skipped test with CI=true', async (t) => {
    const cwd = temporaryProject(t, { test: skipping })
    const { code } = await npmTest(t, cwd, { CI: 'true' })
    assert.equal(code, 1)
  })

  it('fails when it finds nothing to run', async (t) => {
    const cwd = temporaryProject(t, {})
    const { code, output } = await npmTest(t, cwd, {})
    assert.match(output, /No test was found/)
    assert.equal(code, 1)
  })

  it('runs only what is named', async (t) => {
    const cwd = temporaryProject(t, { test: passing })
    mkdirSync(path.join(cwd, 'test', 'folder'))
    writeFileSync(
      path.join(cwd, 'test', 'folder', 'two.test.ts'),
      passing.replace('passes', 'runs'),
    )
    const { code, output } = await npmTest(t, cwd, {}, 'test/folder')
    assert.match(output, /runs/)
    assert.doesNotMatch(output, /passes/)
    assert.equal(code, 0)
  })

  it('tells tests where the programs are that they drive', async (t) => {
    const cwd = temporaryProject(t, {
      test: `require('node:test').it(process.env.TEST_REDIS_SERVER, () => {})`,
    })
    const { output } = await npmTest(t, cwd, { TEST_REDIS_SERVER: '/opt/redis/redis-server' })
    assert.match(output, /✔ \/opt\/redis\/redis-server/)
  })

  function npmTest(t: TestContext, cwd: string, env: NodeJS.ProcessEnv, ...args: string[]) {
    return runProgram(t, ['npm', 'test', '--', ...args], { cwd, env: { ...outerEnv(), ...env } })
  }
})

describe('.ci/run', () => {
  it('passes when every step passes', async (t) => {
    const cwd = temporaryProject(t, { test: `require('node:test').it('passes', () => {})` })
    const { code, output } = await ci(t, cwd, { biome: 'exit 0', tsc: 'exit 0' })
    assert.deepEqual(outcomes(output), {
      packages: 'ok',
      'test programs': 'ok',
      format: 'ok',
      lint: 'ok',
      types: 'ok',
      tests: 'ok',
    })
    assert.equal(code, 0)
  })

  it('fails when one step fails, after trying the others', async (t) => {
    const cwd = temporaryProject(t, { test: `require('node:test').it('passes', () => {})` })
    const { code, output } = await ci(t, cwd, { biome: 'exit 0', tsc: 'echo wrong type; exit 2' })
    assert.match(output, /wrong type/)
    assert.match(output, /^types +FAILED +[\d.]+ s {2}exit code 2$/m)
    assert.equal(outcomes(output).tests, 'ok')
    assert.equal(code, 1)
  })

  it('fails when a test was skipped', async (t) => {
    const cwd = temporaryProject(t, {
      test: `require('node:test').it('waits', { skip: 'no redis-server' }, () => {})`,
    })
    const { code, output } = await ci(t, cwd, { biome: 'exit 0', tsc: 'exit 0' })
    assert.equal(outcomes(output).tests, 'FAILED')
    assert.equal(code, 1)
  })

  it('leaves the rest undone when packages cannot be installed', async (t) => {
    const cwd = temporaryProject(t, { outOfStep: true })
    const { code, output } = await runProgram(t, [path.join(cwd, '.ci', 'run')], {
      cwd: os.tmpdir(),
    })
    assert.equal(outcomes(output).packages, 'FAILED')
    assert.equal(outcomes(output).tests, 'not run')
    assert.equal(code, 1)
  })

  /** With stand-ins for the programs that are slow or that would be installed on this machine. */
  async function ci(t: TestContext, cwd: string, programs: Record<string, string>) {
    await runProgram(t, ['npm', 'ci'], { cwd })
    const bin = path.join(cwd, 'node_modules', '.bin')
    mkdirSync(bin, { recursive: true })
    for (const [name, script] of Object.entries(programs)) {
      writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`)
      chmodSync(path.join(bin, name), 0o755)
    }
    const found = { TEST_REDIS_SERVER: process.execPath, TEST_CHROMIUM: process.execPath }
    const env = { ...outerEnv(), ...found }
    return runProgram(t, [path.join(cwd, '.ci', 'run')], { cwd: os.tmpdir(), env })
  }

  function outcomes(output: string): Record<string, string> {
    const lines = output.matchAll(/^(\S[\w ]*?) +(ok|FAILED|not run)\b/gm)
    return Object.fromEntries([...lines].map(([, name, outcome]) => [name, outcome]))
  }
})

interface Contents {
  main?: string
  test?: string
  node?: string
  /** package.json asks for what the lock file lacks, so npm refuses. */
  outOfStep?: boolean
}

/** This project's scripts around other contents. Its only package is a folder of its own, so nothing is fetched. */
function temporaryProject(t: TestContext, { main, test, node, outOfStep }: Contents): string {
  const cwd = temporaryFolder(t)
  for (const folder of ['scripts', '.ci']) {
    cpSync(path.join(root, folder), path.join(cwd, folder), { recursive: true })
  }
  const part = { name: 'part', version: '1.0.0' }
  const manifest = {
    name: 'trial',
    version: '1.0.0',
    engines: { node: node ?? packageJson.engines.node },
    scripts: packageJson.scripts,
    dependencies: { part: 'file:part', ...(outOfStep ? { absent: 'file:absent' } : {}) },
  }
  const packages = {
    '': { ...manifest, dependencies: { part: 'file:part' } },
    'node_modules/part': { resolved: 'part', link: true },
    part,
  }
  write('part/package.json', JSON.stringify(part))
  write('package.json', JSON.stringify(manifest))
  write('package-lock.json', JSON.stringify({ lockfileVersion: 3, requires: true, packages }))
  write('src/main.ts', main ?? '')
  if (test !== undefined) write('test/one.test.ts', test)
  return cwd

  function write(file: string, text: string) {
    mkdirSync(path.join(cwd, path.dirname(file)), { recursive: true })
    writeFileSync(path.join(cwd, file), text)
  }
}

/** Without what an outer test run tells its own files. */
function outerEnv(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, CI: __, ...env } = process.env
  return env
}

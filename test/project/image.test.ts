import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { freePort } from '../support/ports.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { environmentOf, listForm, only, parseDockerfile } from './dockerfile.ts'
import { runProgram, startProgram } from './programs.ts'
import { readText, root } from './repository.ts'

const dockerfile = parseDockerfile(readText('Dockerfile'))
const copied = dockerfile
  .filter((instruction) => instruction.name === 'COPY')
  .map((instruction) => instruction.rest.split(' '))
  .flatMap((words) => words.slice(0, -1).map((from) => ({ from, to: words.at(-1) ?? '' })))

describe('Dockerfile', () => {
  it('starts from the Node the development packages bring', () => {
    const { devDependencies } = JSON.parse(readText('package.json')) as {
      devDependencies: Record<string, string>
    }
    const major = devDependencies.node?.split('.')[0]
    assert.equal(only(dockerfile, 'FROM'), `node:${major}-slim`)
  })

  it('runs as node, who owns the data folder before it becomes a volume', () => {
    const names = dockerfile.map(({ name, rest }) => `${name} ${rest}`)
    const order = ['RUN mkdir /data && chown node:node /data', 'VOLUME /data', 'USER node']
    const places = order.map((line) => names.indexOf(line))
    assert.ok(
      places.every((place) => place >= 0),
      names.join('\n'),
    )
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
  })

  it('installs before it copies the sources, so that a change to them keeps the packages', () => {
    const install = dockerfile.findIndex(({ rest }) => rest.startsWith('npm ci'))
    const sources = dockerfile.findIndex(
      ({ name, rest }) => name === 'COPY' && rest.startsWith('src'),
    )
    assert.ok(install >= 0 && install < sources)
  })
})

describe('.dockerignore', () => {
  it('lets in exactly what the Dockerfile copies', () => {
    const [first, ...rest] = readText('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    assert.equal(first, '*')
    assert.deepEqual(rest.toSorted(), copied.map(({ from }) => `!${from}`).toSorted())
  })
})

describe('The image, built by hand', () => {
  it('starts, is healthy, and stops on SIGTERM', { timeout: 60_000 }, async (t) => {
    const { app, data } = await build(t)
    assert.ok(!existsSync(path.join(app, 'node_modules', 'typescript')), 'development packages')

    const port = await freePort()
    const env = {
      PATH: path.dirname(process.execPath),
      ...inside(environmentOf(dockerfile), data),
      HOST: '127.0.0.1',
      PORT: String(port),
      API_KEYS: 'dev:admin:dev-only-change-me',
    }
    const gateway = startProgram(t, listForm(only(dockerfile, 'CMD')), { cwd: app, env })
    const healthcheck = listForm(only(dockerfile, 'HEALTHCHECK'))
    const isHealthy = async () => (await runProgram(t, healthcheck, { cwd: app, env })).code === 0

    while (!(await isHealthy())) {
      assert.equal(gateway.child.exitCode, null, gateway.output())
    }
    assert.ok(existsSync(path.join(data, 'gateway.db')), gateway.output())

    const described = await fetch(`http://127.0.0.1:${port}/asyncapi.yaml`)
    assert.match(await described.text(), /^asyncapi:/)

    gateway.child.kill('SIGTERM')
    assert.equal(await gateway.ended, 0, gateway.output())
    assert.equal(await isHealthy(), false)
  })

  /** Does what COPY and RUN say, with a temporary folder for /app and one for /data. */
  async function build(t: TestContext) {
    const [app, data] = [temporaryFolder(t), temporaryFolder(t)]
    for (const { name, rest } of dockerfile) {
      if (name === 'COPY') {
        const words = rest.split(' ')
        const to = words.pop() ?? ''
        for (const from of words)
          copy(from, path.join(app, to.endsWith('/') ? path.join(to, from) : to))
      }
      if (name === 'RUN') await runStep(t, rest, app)
    }
    return { app, data }
  }

  async function runStep(t: TestContext, command: string, cwd: string) {
    const own = command.split(' && ').filter((part) => !onlyInAnImage.includes(part))
    for (const part of own) {
      const { code, output } = await runProgram(t, part.split(' '), { cwd })
      assert.equal(code, 0, `${part}\n${output}`)
    }
  }
})

/** Steps whose paths are those of the image; here they would be this machine's. */
const onlyInAnImage = ['rm -rf /root/.npm', 'mkdir /data', 'chown node:node /data']

function copy(from: string, to: string) {
  mkdirSync(path.dirname(to), { recursive: true })
  cpSync(path.join(root, from), to, { recursive: true })
}

function inside(env: Record<string, string>, data: string): Record<string, string> {
  const pairs = Object.entries(env).map(([name, value]) => [name, value.replace('/data', data)])
  return Object.fromEntries(pairs)
}

import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { runProgram, startProgram } from './programs.ts'
import { root } from './repository.ts'

const apiKeys = 'shop:app:not-a-real-api-key'

describe('What a gateway on its simulator prints', () => {
  it('is three commands, whose message needs one attempt', async (t) => {
    const { printed } = await start(t, {})
    const commands = [
      ...printed.matchAll(/curl -sS (\S+) -H '(\w+): ([^']+)'(?:.*? -d '([^']+)')?/g),
    ]
    assert.equal(commands.length, 3)

    const answers: { id: string; status: string; attempts: number; state: string }[] = []
    for (const [, url = '', name = '', value = '', body] of commands) {
      const response = await fetch(url.replace('$SESSION', answers[0]?.id ?? ''), {
        headers: { [name]: value, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { method: 'POST', body }),
      })
      answers.push((await response.json()) as (typeof answers)[number])
    }

    const [created, message, read] = answers
    assert.deepEqual([message?.status, message?.attempts], ['sent', 1])
    assert.deepEqual([read?.id, read?.state], [created?.id, 'active'])
  })
})

describe('npm run demo', () => {
  it('finds the gateway that made its own key', async (t) => {
    const { cwd } = await start(t, {})
    const { code, output } = await demo(t, cwd, {})
    assert.match(output, /^Done in \d+ ms\.$/m)
    assert.equal(code, 0)
  })

  it('says what to set for a gateway with keys of its own, as that gateway does', async (t) => {
    const { cwd, printed } = await start(t, { API_KEYS: apiKeys })
    const [, url = ''] = /GATEWAY_URL=(\S+) GATEWAY_KEY=… npm run demo/.exec(printed) ?? []
    const lost = await demo(t, cwd, {})
    assert.match(lost.output, /GATEWAY_URL=\S+ GATEWAY_KEY=… npm run demo/)
    assert.equal(lost.code, 1)

    const told = await demo(t, cwd, { GATEWAY_URL: url, GATEWAY_KEY: 'not-a-real-api-key' })
    assert.match(told.output, /^Done in/m)
  })

  it('says so when nobody answers', async (t) => {
    const nowhere = { GATEWAY_URL: 'http://127.0.0.1:1', GATEWAY_KEY: 'not-a-real-api-key' }
    const { code, output } = await demo(t, temporaryFolder(t), nowhere)
    assert.equal(output, 'No answer from http://127.0.0.1:1. Is the gateway running?\n')
    assert.equal(code, 1)
  })

  function demo(t: TestContext, cwd: string, env: Record<string, string>) {
    const command = [process.execPath, path.join(root, 'scripts/demo.ts')]
    return runProgram(t, command, { cwd, env: { PATH: process.env.PATH, ...env } })
  }
})

async function start(t: TestContext, env: Record<string, string>) {
  const cwd = temporaryFolder(t)
  const gateway = startProgram(t, [process.execPath, path.join(root, 'src/main.ts')], {
    cwd,
    env: { PATH: process.env.PATH, PORT: '0', SIMULATOR_ACTIVATION_MS: '50', ...env },
  })
  await gateway.printed('"listening"')
  return { cwd, printed: gateway.output() }
}

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openFor } from './engines.ts'
import { creation } from './samples.ts'

describe('openStore', () => {
  it('makes the folder and the file, for its owner only', async (t) => {
    const file = path.join(temporaryFolder(t), 'data', 'deep', 'gateway.db')
    await openFor(t, `sqlite:${file}`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  it('leaves one file behind when it is closed', async (t) => {
    const folder = temporaryFolder(t)
    const store = await openFor(t, `sqlite:${path.join(folder, 'gateway.db')}`)
    await store.commit(creation())
    await store[Symbol.asyncDispose]()
    assert.deepEqual(readdirSync(folder), ['gateway.db'])
  })

  it('takes an empty file as a new one', async (t) => {
    const file = path.join(temporaryFolder(t), 'gateway.db')
    writeFileSync(file, '')
    const store = await openFor(t, `sqlite:${file}`)
    await store.commit(creation())
  })

  it('takes any file name', async (t) => {
    const file = path.join(temporaryFolder(t), 'a b#c?d%20é.db')
    const first = await openFor(t, `sqlite:${file}`)
    const { session } = creation()
    await first.commit(creation(session))
    await first[Symbol.asyncDispose]()
    const again = await openFor(t, `sqlite:${file}`)
    assert.ok(await again.findSession(session.id))
    assert.ok(existsSync(file))
  })

  it('refuses a path it cannot use, and names it', async (t) => {
    const folder = temporaryFolder(t)
    const notAFolder = path.join(folder, 'file')
    writeFileSync(notAFolder, '')
    for (const file of [folder, path.join(notAFolder, 'gateway.db')]) {
      await assert.rejects(openFor(t, `sqlite:${file}`), { name: 'StoreRefused', file })
    }
  })
})

describe('The key of a store', () => {
  it('is made when none is configured, and kept beside the file for its owner only', async (t) => {
    const file = path.join(temporaryFolder(t), 'gateway.db')
    const { session } = creation()
    const first = await openFor(t, `sqlite:${file}`, { key: undefined })
    await first.commit(creation(session))
    await first[Symbol.asyncDispose]()
    assert.equal(statSync(`${file}.key`).mode & 0o777, 0o600)
    assert.equal(Buffer.from(readFileSync(`${file}.key`, 'utf8'), 'base64').length, 32)

    const again = await openFor(t, `sqlite:${file}`, { key: undefined })
    assert.deepEqual(await again.findSession(session.id), session)
  })

  it('is not made when one is configured', async (t) => {
    const file = path.join(temporaryFolder(t), 'gateway.db')
    await openFor(t, `sqlite:${file}`)
    assert.ok(!existsSync(`${file}.key`))
  })

  it('must be the one the secrets were sealed with', async (t) => {
    const file = path.join(temporaryFolder(t), 'gateway.db')
    const reopen = async (key: Buffer | undefined) => {
      const store = await openFor(t, `sqlite:${file}`, { key })
      await store[Symbol.asyncDispose]()
    }
    await reopen(Buffer.alloc(32, 1))
    const before = readFileSync(file)
    await assert.rejects(reopen(Buffer.alloc(32, 2)), {
      name: 'StoreRefused',
      message: /sealed with another key than STORE_KEY/,
    })
    await assert.rejects(reopen(undefined), {
      name: 'StoreRefused',
      message: /neither STORE_KEY is set nor is there .*gateway\.db\.key/,
    })
    writeFileSync(`${file}.key`, Buffer.alloc(32, 3).toString('base64'))
    await assert.rejects(reopen(undefined), { message: /another key than .*gateway\.db\.key/ })
    writeFileSync(`${file}.key`, 'not a key')
    await assert.rejects(reopen(undefined), { message: /does not hold 32 bytes/ })
    rmSync(`${file}.key`)

    assert.deepEqual(readFileSync(file), before)
    await reopen(Buffer.alloc(32, 1))
  })
})

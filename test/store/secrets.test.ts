import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { CannotUnseal, SecretBox } from '../../src/store/secrets.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openFor } from './engines.ts'
import { creation, sampleSession, step } from './samples.ts'

describe('SecretBox', () => {
  const box = new SecretBox(Buffer.alloc(32, 1))

  it('gives back what it sealed', () => {
    for (const text of ['', 'fake-token', 'Grüße 🙂', 'x'.repeat(100_000)]) {
      assert.equal(box.unseal(box.seal(text, 'gs_1'), 'gs_1'), text)
    }
  })

  it('opens what another box with the same key sealed', () => {
    const sealed = new SecretBox(Buffer.alloc(32, 1)).seal('fake-token', 'gs_1')
    assert.equal(box.unseal(sealed, 'gs_1'), 'fake-token')
  })

  it('never seals twice alike', () => {
    const sealed = new Set(
      Array.from({ length: 100 }, () => Buffer.from(box.seal('x', 'gs_1')).toString('hex')),
    )
    assert.equal(sealed.size, 100)
  })

  it('does not open what was sealed with another key', () => {
    const sealed = new SecretBox(Buffer.alloc(32, 2)).seal('fake-token', 'gs_1')
    assert.throws(() => box.unseal(sealed, 'gs_1'), {
      name: 'CannotUnseal',
      message: /another key/,
    })
  })

  it('does not open what was sealed for another place', () => {
    assert.throws(() => box.unseal(box.seal('fake-token', 'gs_1'), 'gs_2'), CannotUnseal)
  })

  it('does not open what was changed, wherever', () => {
    const sealed = box.seal('fake-token', 'gs_1')
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(() => box.unseal(changed, 'gs_1'), CannotUnseal, `byte ${at}`)
    }
    for (const length of [0, 1, 20, sealed.length - 1]) {
      assert.throws(() => box.unseal(sealed.subarray(0, length), 'gs_1'), CannotUnseal)
    }
  })

  it('takes keys of 32 bytes only', () => {
    assert.throws(() => new SecretBox(Buffer.alloc(31)), RangeError)
  })

  it('derives other keys for other purposes, and from other keys', () => {
    const derived = [
      box.derive('a'),
      box.derive('b'),
      new SecretBox(Buffer.alloc(32, 2)).derive('a'),
    ]
    assert.equal(new Set(derived.map((key) => key.toString('hex'))).size, 3)
  })
})

describe('Guest tokens', () => {
  it('are nowhere in the files of the store (G6)', async (t) => {
    const folder = temporaryFolder(t)
    const store = await openFor(t, `sqlite:${path.join(folder, 'gateway.db')}`)
    const canaries = ['fake-canary-token-1', 'fake-canary-token-2']
    const secrets = { token: canaries[0] ?? '', refresh: { token: 'fake-canary-refresh' } }
    const first = creation(sampleSession({ secrets }))
    await store.commit(first)
    await store.commit(step(first.session, { patch: { secrets: { token: canaries[1] ?? '' } } }))
    const pending = contents(folder)
    await store[Symbol.asyncDispose]()
    for (const bytes of [pending, contents(folder)]) {
      assert.ok(bytes.includes('Ada'))
      assert.ok(!bytes.includes('fake-canary'))
    }
  })
})

function contents(folder: string): Buffer {
  return Buffer.concat(readdirSync(folder).map((name) => readFileSync(path.join(folder, name))))
}

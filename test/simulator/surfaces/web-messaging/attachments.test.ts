import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Body } from '../../support.ts'
import { type Frame, type Guest, guestScene } from './guest.ts'

const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47]), Buffer.alloc(60)])

function announce(guest: Guest, change: Body = {}): Promise<Frame> {
  return guest.ask('onAttachment', {
    attachmentId: crypto.randomUUID(),
    fileName: 'bill.png',
    fileType: 'image/png',
    fileSize: png.length,
    ...change,
  })
}

function put(presigned: Frame, body: Buffer = png, headers: Record<string, string> = {}) {
  const { url, fileType } = presigned.body as Record<string, string>
  return fetch(String(url), {
    method: 'PUT',
    headers: {
      'content-type': String(fileType),
      ...(presigned.body.headers as Record<string, string>),
      ...headers,
    },
    body: new Uint8Array(body),
  })
}

function withFile(id: unknown) {
  return { content: [{ contentType: 'Attachment', attachment: { id } }] }
}

describe('attachments', () => {
  it('are announced, put to the address given, judged, and sent in a message', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()

    const presigned = await announce(one)
    assert.deepEqual([presigned.type, presigned.class], ['response', 'PresignedUrlResponse'])
    const { attachmentId, url, headers, ...rest } = presigned.body
    assert.deepEqual(rest, { fileName: 'bill.png', fileSize: png.length, fileType: 'image/png' })
    assert.deepEqual(Object.keys(headers as object), ['x-amz-tagging'])
    assert.equal((await one.say('too early', withFile(attachmentId))).code, 4010)

    assert.equal((await put(presigned)).status, 200)
    control.advanceClock(1_000)
    const uploaded = await one.next('UploadSuccessEvent')
    assert.deepEqual([uploaded.type, uploaded.body.attachmentId], ['message', attachmentId])
    const download = await fetch(String(uploaded.body.downloadUrl))
    assert.deepEqual(Buffer.from(await download.arrayBuffer()), png)

    const { body } = await one.say('', {
      type: undefined,
      text: undefined,
      ...withFile(attachmentId),
    })
    assert.equal(body.type, 'Text')
    assert.equal('text' in body, false)
    assert.deepEqual(body.content, [
      {
        contentType: 'Attachment',
        attachment: {
          id: attachmentId,
          mediaType: 'Image',
          filename: 'bill.png',
          mime: 'image/png',
          fileSize: png.length,
        },
      },
    ])
    assert.notEqual(url, uploaded.body.downloadUrl)
  })

  it('get an id where the guest has none for them', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    const presigned = [1, 2].map(() => announce(one, { attachmentId: undefined }))
    const ids = (await Promise.all(presigned)).map(({ body }) => body.attachmentId)
    assert.equal(new Set(ids).size, 2)
    for (const id of ids) assert.match(String(id), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.equal((await put(await announce(one, { attachmentId: undefined }))).status, 200)
    control.advanceClock(1_000)
    const { body } = await one.next('UploadSuccessEvent')
    assert.equal((await one.say('see file', withFile(body.attachmentId))).code, 200)
  })

  it('can be looked up again, and deleted until they are sent', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    const presigned = await announce(one)
    const { attachmentId } = presigned.body
    assert.equal((await one.ask('getAttachment', { attachmentId })).code, 4010)
    await put(presigned)
    control.advanceClock(1_000)

    const again = await one.ask('getAttachment', { attachmentId })
    assert.deepEqual(again.body.headers, {})
    assert.equal((await fetch(String(again.body.url))).status, 200)
    control.advanceClock(600_000)
    assert.equal((await fetch(String(again.body.url))).status, 403)

    const deleted = await one.ask('deleteAttachment', { attachmentId })
    assert.deepEqual(deleted.body, { attachmentId })
    assert.equal(deleted.class, 'AttachmentDeletedResponse')
    assert.equal((await one.ask('deleteAttachment', { attachmentId })).code, 4009)
    assert.equal((await one.say('gone', withFile(attachmentId))).code, 4009)
  })

  it('cannot be deleted or sent again once sent, and expire', async (t) => {
    const { control, guest, set } = await guestScene(t)
    set({ attachmentTtlSeconds: 300 })
    const one = await guest()
    const upload = async () => {
      const presigned = await announce(one)
      await put(presigned)
      control.advanceClock(1_000)
      return presigned.body.attachmentId
    }

    const attachmentId = await upload()
    assert.equal((await one.say('file', withFile(attachmentId))).code, 200)
    assert.equal((await one.say('file', withFile(attachmentId))).code, 4009)
    assert.equal((await one.ask('deleteAttachment', { attachmentId })).code, 4009)
    const late = await upload()
    control.advanceClock(301_000)
    assert.equal((await one.say('file', withFile(late))).code, 4008)
  })

  it('are refused before the upload, plainly or as GenerateUrlError', async (t) => {
    const { guest, set } = await guestScene(t)
    const one = await guest()
    const cases: [Body, number][] = [
      [{ fileType: 'image/png', fileName: 'virus.exe' }, 4001],
      [{ fileSize: 10_240 * 1_024 + 1 }, 4002],
      [{ fileName: 'no-extension' }, 4004],
      [{ fileName: `${'a'.repeat(1_020)}.png` }, 4005],
      [{ fileName: undefined }, 4020],
      [{ fileSize: 0 }, 4102],
    ]

    for (const [change, code] of cases) {
      const plain = await announce(one, change)
      assert.deepEqual([plain.class, plain.code], ['string', code])
      const asJson = await announce(one, { ...change, errorsAsJson: true })
      assert.deepEqual(
        [asJson.type, asJson.class, asJson.code],
        ['response', 'GenerateUrlError', 400],
      )
      assert.equal(asJson.body.errorCode, code)
    }
    set({ generateUrlErrorAs: 'message-200', deployment: { fileTypes: ['image/jpeg'] } })
    const pushed = await announce(one, { errorsAsJson: true })
    assert.deepEqual([pushed.type, pushed.code, pushed.body.errorCode], ['message', 200, 4001])
    set({ deployment: { attachments: false } })
    assert.equal((await announce(one)).code, 4000)
    assert.deepEqual((await one.configure()).body.allowedMedia, {})
  })

  it('U19 need a UUID, or any id where that is switched on', async (t) => {
    const { guest, set } = await guestScene(t)
    const one = await guest()

    assert.equal((await announce(one, { attachmentId: 'mine' })).code, 400)
    set({ attachmentIdFormat: 'any' })
    assert.equal((await announce(one, { attachmentId: 'mine' })).code, 200)
  })

  it('fail when they are empty, too large or not what they say, or because they must', async (t) => {
    const { control, guest, set } = await guestScene(t)
    const one = await guest()
    const failure = async (body: Buffer) => {
      const presigned = await announce(one)
      await put(presigned, body)
      control.advanceClock(1_000)
      const failed = await one.next('UploadFailureEvent')
      assert.equal(failed.body.attachmentId, presigned.body.attachmentId)
      assert.equal((await one.say('x', withFile(failed.body.attachmentId))).code, 4010)
      return failed.body.errorCode
    }

    assert.equal(await failure(Buffer.alloc(0)), 4102)
    assert.equal(await failure(Buffer.from('MZ, not a picture')), 4003)
    set({ deployment: { maxFileSizeKB: 1 } })
    assert.equal(await failure(Buffer.concat([png, Buffer.alloc(1_024)])), 4002)
    set({ scan: 'fails' })
    assert.equal(await failure(png), 4003)
    set({ scan: 'silent' })
    await put(await announce(one))
    control.advanceClock(60_000)
    assert.equal((await one.classes()).at(-1), 'PresignedUrlResponse')
  })

  it('are only taken once, with the headers given and while the address is good', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    const presigned = await announce(one)

    assert.equal((await put(presigned, png, { 'x-amz-tagging': 'other' })).status, 403)
    assert.equal((await put(presigned, png, { 'content-type': 'text/plain' })).status, 403)
    const forged = { ...presigned, body: { ...presigned.body, url: `${presigned.body.url}x` } }
    assert.equal((await put(forged)).status, 403)
    assert.equal((await put(presigned)).status, 200)
    assert.equal((await put(presigned)).status, 403)
    const late = await announce(one)
    control.advanceClock(600_000)
    assert.equal((await put(late)).status, 403)
  })

  it('of any size up to the limit get through', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    const big = Buffer.concat([png, Buffer.alloc(3 * 1024 * 1024)])
    const presigned = await announce(one, { fileSize: big.length })

    assert.equal((await put(presigned, big)).status, 200)
    control.advanceClock(1_000)
    await one.next('UploadSuccessEvent')
    const [received] = control.received.list('web-messaging.uploadFile')
    assert.equal(received?.body, undefined)
    assert(
      !JSON.stringify(received).includes(String(presigned.body.url).split('Signature=')[1] ?? ''),
    )
  })
})

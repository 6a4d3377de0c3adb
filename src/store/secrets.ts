/**
 * Guest tokens at rest: AES-256-GCM under one 32-byte key, with a nonce of its own for every text. A sealed text is
 *
 *     format (1 byte) · key id (4) · nonce (12) · tag (16) · ciphertext
 *
 * and opens only in the place it was sealed for, so one row's secrets cannot be moved to another.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

const format = 1
const cipher = 'aes-256-gcm'
const nonceStart = 5
const tagStart = 17
const textStart = 33

/** It was sealed with another key, for another place, or changed since. */
export class CannotUnseal extends Error {
  override readonly name = 'CannotUnseal'
}

export class SecretBox {
  readonly #key: KeyObject
  readonly #header: Buffer

  /** `key` is 32 bytes. */
  constructor(key: Buffer) {
    if (key.length !== 32) throw new RangeError('The key that seals secrets has 32 bytes')
    this.#key = createSecretKey(key)
    const keyId = createHash('sha256').update('key id').update(key).digest().subarray(0, 4)
    this.#header = Buffer.concat([Buffer.of(format), keyId])
  }

  seal(text: string, place: string): Uint8Array {
    const nonce = randomBytes(12)
    const sealing = createCipheriv(cipher, this.#key, nonce).setAAD(Buffer.from(place))
    const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()])
    return Buffer.concat([this.#header, nonce, sealing.getAuthTag(), sealed])
  }

  /** 32 bytes for another purpose, from which neither this key nor one derived for a third can be told. */
  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#key, '', purpose, 32))
  }

  /** Throws CannotUnseal. */
  unseal(sealed: Uint8Array, place: string): string {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
    if (bytes[0] !== format || bytes.length < textStart) {
      throw new CannotUnseal(`What is sealed for ${place} has an unknown format`)
    }
    if (!bytes.subarray(0, nonceStart).equals(this.#header)) {
      throw new CannotUnseal(`What is sealed for ${place} was sealed with another key`)
    }
    const nonce = bytes.subarray(nonceStart, tagStart)
    const opening = createDecipheriv(cipher, this.#key, nonce, { authTagLength: 16 })
    opening.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(tagStart, textStart))
    try {
      return opening.update(bytes.subarray(textStart), undefined, 'utf8') + opening.final('utf8')
    } catch (cause) {
      throw new CannotUnseal(`What is sealed for ${place} was changed`, { cause })
    }
  }
}

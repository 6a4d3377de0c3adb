/** Ed25519 signatures: whoever has the public key can check them, and only whoever has the store's key make them. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

export interface Signer {
  /** Base64url of the 32 bytes. */
  publicKey: string
  /** Base64url of the signature over the UTF-8 of `text`. */
  sign(text: string): string
}

/** What PKCS #8 puts before the 32 bytes of an Ed25519 private key (RFC 8410). */
const privateKeyHeader = Buffer.from('302e020100300506032b657004220420', 'hex')

/** `seed` is 32 bytes, and the same ones make the same key. */
export function signerOf(seed: Buffer): Signer {
  const der = Buffer.concat([privateKeyHeader, seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const { x: publicKey = '' } = createPublicKey(key).export({ format: 'jwk' })
  return { publicKey, sign: (text) => sign(null, Buffer.from(text), key).toString('base64url') }
}

/** False for anything that is not a signature of this text by this key. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  let key: KeyObject
  try {
    key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
  } catch {
    return false
  }
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
}

import { Agent, request } from 'undici'
import { GatewayError } from '../errors.ts'
import { guardedConnector } from '../public-addresses.ts'

const downloadMs = 30_000
const uploadMs = 60_000

/** Carries files from where a caller has them to where the platform wants them. */
export class Files implements AsyncDisposable {
  readonly #outside: Agent
  readonly #platform = new Agent({ connect: { timeout: 10_000 } })

  /** `allowPrivate`: files may come from private addresses and over plain http. */
  constructor(allowPrivate: boolean) {
    this.#outside = new Agent({ connect: guardedConnector(allowPrivate, 10_000) })
  }

  /** The bytes at `url`. Throws `attachment-too-large`, or `invalid-request` when they cannot be had. */
  async download(url: string, maxBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: this.#outside,
        signal: AbortSignal.timeout(downloadMs),
      })
      if (statusCode !== 200) throw new Error(`its host answered ${statusCode}`)
      for await (const chunk of body) {
        bytes += chunk.length
        if (bytes > maxBytes) {
          throw new GatewayError('attachment-too-large', `The file is over ${maxBytes} bytes`)
        }
        chunks.push(chunk)
      }
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new GatewayError('invalid-request', `The attachment could not be read: ${why}`, {
        cause,
      })
    }
    return Buffer.concat(chunks)
  }

  /** Puts the bytes where the platform said. Throws `upstream-error`. */
  async put(url: string, headers: Record<string, string>, bytes: Buffer): Promise<void> {
    const { statusCode, body } = await request(url, {
      method: 'PUT',
      headers,
      body: bytes,
      dispatcher: this.#platform,
      signal: AbortSignal.timeout(uploadMs),
    }).catch((cause: unknown) => {
      // The URL is a credential, and errors of the network can name it.
      throw new GatewayError('upstream-error', 'The file could not be sent to the platform', {
        cause,
      })
    })
    await body.dump()
    if (statusCode >= 200 && statusCode < 300) return
    throw new GatewayError('upstream-error', `The platform's file store answered ${statusCode}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#outside.destroy(), this.#platform.destroy()])
  }
}

/**
 * One kept-alive HTTP/1.1 connection that sends requests made beforehand, one at a time, and reads no more of an answer
 * than its status and where it ends. That is what makes a generator cheap enough to share a CPU with.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export class Wire {
  readonly #socket: Socket
  #received = ''
  #settle: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined

  static async open(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Wire(socket)
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#read(chunk))
    socket.on('error', (error) => this.#settle?.reject(error))
    socket.on('close', () => this.#settle?.reject(new Error('the connection was closed')))
  }

  /** The status of the answer, once all of it is there. */
  send(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#socket.write(request, 'latin1')
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: string): void {
    this.#received += chunk
    const head = this.#received.indexOf('\r\n\r\n')
    if (head === -1 || !isWhole(this.#received, head)) return
    const status = Number(this.#received.slice(9, 12))
    const settle = this.#settle
    this.#received = ''
    this.#settle = undefined
    settle?.resolve(status)
  }
}

function isWhole(answer: string, head: number): boolean {
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer)?.[1]
  if (length !== undefined) return answer.length >= head + 4 + Number(length)
  return answer.endsWith('0\r\n\r\n')
}

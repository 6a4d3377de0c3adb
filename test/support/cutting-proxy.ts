/** Stands between clients and a server, and breaks each connection after a number of bytes towards the client. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { listen } from './ports.ts'

export interface CuttingProxy extends AsyncDisposable {
  url: string
  /** How many connections it has broken. */
  cuts: number
  /** Breaks all there are now. */
  cutAll(): void
}

export interface CuttingOptions {
  /** Where the server is now; it may move. */
  target(): string
  /** For each connection, after how many bytes it is broken, wherever in a frame that is. Default: never. */
  bytes?(): number
}

export async function startCuttingProxy({
  target,
  bytes = () => Number.POSITIVE_INFINITY,
}: CuttingOptions): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const { hostname, port } = new URL(target())
    const upstream = connect(Number(port), hostname)
    let left = bytes()
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', end).on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    client.pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      if (chunk.length < left) {
        left -= chunk.length
        client.write(chunk)
        return
      }
      proxy.cuts += 1
      upstream.destroy()
      client.end(chunk.subarray(0, left), end)
    })
  })
  const port = await listen(server)
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${port}`,
    cuts: 0,
    cutAll() {
      for (const socket of sockets) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      proxy.cutAll()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

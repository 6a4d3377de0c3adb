import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface BreakableLink extends AsyncDisposable {
  url: string
  /** Breaks every connection, and every new one at once, until `mend`. */
  break(): void
  mend(): void
}

/** A way to the server at `target` that goes down when it is told to, as a network does. */
export async function startBreakableLink(target: string): Promise<BreakableLink> {
  const sockets = new Set<Socket>()
  const { hostname, port: targetPort } = new URL(target)
  let isBroken = false
  const server = createServer((client) => {
    if (isBroken) return void client.destroy()
    const upstream = connect(Number(targetPort), hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      // Its end, which follows, is what matters.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${port}`,
    break() {
      isBroken = true
      cut()
    },
    mend() {
      isBroken = false
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}

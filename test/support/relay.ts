/**
 * Ways for other programs to gateways that lead through this process, which sees what goes over them
 * (test/support/wire). Nothing is held back, and an end on one side is an end on the other.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { listen } from './ports.ts'

type Scope = { after(end: () => void): void }

/** The same URL, by way of a relay that ends with the test. */
export async function relayed(t: Scope, url: string): Promise<string> {
  const { hostname, port, host } = new URL(url)
  const relay = await startRelay(async (client) => join(client, Number(port), hostname))
  t.after(relay.end)
  return url.replace(host, `127.0.0.1:${relay.port}`)
}

export interface Relay {
  port: number
  end(): void
}

/** For programs that take a SOCKS5 proxy (RFC 1928): it leads wherever they ask for, without authentication. */
export function startSocksRelay(): Promise<Relay> {
  return startRelay(async (client) => {
    const read = exactly(client)
    const [, methods = 0] = await read(2)
    await read(methods)
    client.write(Buffer.from([5, 0]))
    const [, , , kind] = await read(4)
    const host = await addressOf(kind ?? 0, read)
    const port = (await read(2)).readUInt16BE()
    join(client, port, host, (isThere) => {
      client.write(Buffer.from([5, isThere ? 0 : 5, 0, 1, 0, 0, 0, 0, 0, 0]))
    })
  })
}

async function addressOf(kind: number, read: (count: number) => Promise<Buffer>): Promise<string> {
  if (kind === 1) return (await read(4)).join('.')
  if (kind === 3) return (await read((await read(1))[0] ?? 0)).toString()
  throw new Error(`a SOCKS address of kind ${kind}`)
}

async function startRelay(serve: (client: Socket) => Promise<void>): Promise<Relay> {
  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    clients.add(client)
    client.on('error', () => client.destroy()).on('close', () => clients.delete(client))
    // One that leaves before it has said where it wants to go.
    serve(client).catch(() => client.destroy())
  })
  const port = await listen(server)
  return {
    port,
    end() {
      for (const client of clients) client.destroy()
      server.close()
    },
  }
}

/** `ready` hears whether the other side is there, before anything of it is passed on. */
function join(
  client: Socket,
  port: number,
  host: string,
  ready: (isThere: boolean) => void = () => undefined,
): void {
  const upstream = connect({ port, host, allowHalfOpen: true, noDelay: true })
  let isThere = false
  upstream.on('connect', () => {
    isThere = true
    ready(true)
    client.pipe(upstream).pipe(client)
  })
  upstream.on('error', () => {
    if (isThere) {
      client.destroy()
      return
    }
    ready(false)
    client.end()
  })
  client.on('close', () => upstream.destroy())
}

/** Reads so many bytes at a time, and leaves the rest to whoever reads after. */
function exactly(socket: Socket): (count: number) => Promise<Buffer> {
  return async (count) => {
    if (count === 0) return Buffer.alloc(0)
    for (;;) {
      const bytes = socket.read(count) as Buffer | null
      if (bytes) return bytes
      if (socket.readableEnded || socket.destroyed) throw new Error('it has left')
      await once(socket, 'readable')
    }
  }
}

/** Ports of loopback for servers of the tests. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

/** Resolves with the port once the server listens: on one that is free, unless `port` says which. */
export async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** One on which nobody listened a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  server.close()
  await once(server, 'close')
  return port
}

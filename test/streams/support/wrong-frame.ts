/** Gets one frame that is not described, and goes on as if nothing was wrong. */
import { startSham } from './sham-gateway.ts'
import '../../support/wire/watch.ts'

const ends: (() => void)[] = []
const sham = await startSham(
  { after: (end) => void ends.push(end) },
  { events: (response) => response.write('data: {"type":"shout"}\n\n') },
)
await (await fetch(`${sham.url}/v1/events`)).text()
for (const end of ends) end()

/** A platform that agrees to everything at once, as cheaply as Node can. `PORT` is where. */
import { type PlatformAnswer, startPlatform } from './platform.ts'

let guests = 0
const active: PlatformAnswer = { status: 200, body: '{"status":"ACTIVE"}' }
const sent: PlatformAnswer = {
  status: 200,
  body: JSON.stringify({
    id: '0c9d3a3e-52d6-4b7e-9a35-7b0e3f6d2a11',
    createdAt: '2026-11-20T06:44:13.000Z',
  }),
}

await startPlatform(({ operation }) => {
  if (operation === 'status') return active
  if (operation === 'message') return sent
  guests += 1
  return { status: 200, body: `{"id":"guest-${guests}","conversationId":"conversation-${guests}"}` }
}, Number(process.env.PORT))
process.once('SIGTERM', () => process.exit(0))

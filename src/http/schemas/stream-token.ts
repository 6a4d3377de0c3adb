import { z } from 'zod'
import { defaultTtlSeconds, maxTtlSeconds } from '../streams/stream-tokens.ts'
import { line, Timestamp } from './common.ts'

export const AskStreamToken = z
  .strictObject({
    origin: line(512).meta({
      description: 'Where the page is served from: of `ALLOWED_ORIGINS`, or the gateway’s own',
    }),
    ttlSeconds: z.int().min(1).max(maxTtlSeconds).default(defaultTtlSeconds),
    canSend: z
      .boolean()
      .default(false)
      .meta({ description: 'It may also send the guest’s own messages, over the WebSocket' }),
  })
  .meta({
    id: 'AskStreamToken',
    examples: [{ origin: 'https://shop.example', ttlSeconds: 600, canSend: true }],
  })

export const StreamToken = z
  .object({
    token: z.string(),
    expiresAt: Timestamp,
    websocketUrl: z.string(),
    eventsUrl: z.string(),
  })
  .meta({
    id: 'StreamToken',
    description:
      'Good for one session from one origin, until `expiresAt`. Once the session is over it only reads what is left of its events, to the end',
    examples: [
      {
        token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln',
        expiresAt: '2026-11-20T10:10:00.000Z',
        websocketUrl:
          'wss://gateway.example/v1/sessions/gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e/ws?token=eyJhbGciOiJIUzI1NiJ9.e30.c2ln',
        eventsUrl:
          'https://gateway.example/v1/sessions/gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e/events?token=eyJhbGciOiJIUzI1NiJ9.e30.c2ln',
      },
    ],
  })

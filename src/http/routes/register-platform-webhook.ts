import { z } from 'zod'
import type { PlatformWebhook, Registered } from '../../genesys/platform-webhooks.ts'
import { guestSessionEvents } from '../../genesys/platform-webhooks.ts'
import type { Caller } from '../../sessions/caller.ts'
import { callerOf } from '../context.ts'
import { httpUrl, line } from '../schemas/common.ts'
import { upstreamFailures } from '../schemas/outcomes.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

const RegisterPlatformWebhook = z
  .strictObject({
    name: line(256),
    url: httpUrl.meta({ format: 'uri', description: 'What the platform calls' }),
    events: z
      .array(line(256))
      .min(1)
      .max(50)
      .default([...guestSessionEvents]),
    headers: z.record(z.string(), line(1024)).default({}),
  })
  .meta({
    id: 'RegisterPlatformWebhook',
    examples: [{ name: 'GuestSessionCRMSync', url: 'https://crm.example/api/guest-sync' }],
  })

const PlatformWebhookView = z
  .object({ id: z.string(), name: z.string(), url: z.string(), events: z.array(z.string()) })
  .meta({
    id: 'PlatformWebhook',
    description: 'As the platform knows it',
    examples: [
      {
        id: '4c7a2c0e-6a0d-4f43-9a31-3d1f0b7f0c11',
        name: 'GuestSessionCRMSync',
        url: 'https://crm.example/api/guest-sync',
        events: [...guestSessionEvents],
      },
    ],
  })

export interface PlatformWebhookDeps {
  registerPlatformWebhook(asked: PlatformWebhook, caller: Caller): Promise<Registered>
}

export function registerPlatformWebhookRoute(app: App, deps: PlatformWebhookDeps) {
  // One after another: two at once would both find none of that name, and make two.
  let before: Promise<unknown> = Promise.resolve()
  const register = (asked: PlatformWebhook, caller: Caller): Promise<Registered> => {
    const registered = before.then(() => deps.registerPlatformWebhook(asked, caller))
    before = registered.catch(() => undefined)
    return registered
  }
  app.post(
    '/v1/upstream/webhooks',
    {
      config: { roles: ['admin'] },
      schema: {
        operationId: 'registerPlatformWebhook',
        summary: 'Register a webhook on the platform',
        description:
          'The platform itself then calls the URL. One of that name and URL that is there already is answered with 200, as it is, with the events it was registered for. Where the platform does not list its webhooks, those that were registered here are remembered.',
        tags: ['Webhooks'],
        body: RegisterPlatformWebhook,
        response: {
          200: PlatformWebhookView,
          201: PlatformWebhookView,
          ...problems(...bodyFailures, ...upstreamFailures),
        },
      },
    },
    async (request, reply) => {
      const { existed, id, name, url, events } = await register(request.body, callerOf(request))
      return reply.code(existed ? 200 : 201).send({ id, name, url, events: [...events] })
    },
  )
}

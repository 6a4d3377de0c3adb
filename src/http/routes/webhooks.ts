import { z } from 'zod'
import type { Dispatcher } from '../../webhooks/dispatcher.ts'
import type { Progress } from '../../webhooks/webhook.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import {
  CreatedWebhook,
  CreateWebhook,
  Deliveries,
  newWebhook,
  ReplayWebhook,
  WebhookPage,
  WebhookParams,
  WebhookView,
  webhookView,
} from '../schemas/webhook.ts'
import type { App } from '../server.ts'

const tags = ['Webhooks']
const config = { roles: ['admin'] as const }

/** Destinations for events: make, look at, rotate, replay, remove. */
export function webhookRoutes(app: App, { webhooks }: { webhooks: Dispatcher }) {
  app.post(
    '/v1/webhooks',
    {
      config,
      schema: {
        operationId: 'createWebhook',
        summary: 'Add a destination for events',
        description:
          'Events from now on are delivered in order, at least once, signed by Standard Webhooks. The secret is shown this once.',
        tags,
        body: CreateWebhook,
        response: { 201: CreatedWebhook, ...problems(...bodyFailures) },
      },
    },
    async (request, reply) => {
      const { webhook, secret } = await webhooks.create(newWebhook(request.body))
      reply.code(201).header('location', `/v1/webhooks/${webhook.id}`)
      return { ...webhookView(webhook), secret }
    },
  )
  app.get(
    '/v1/webhooks',
    {
      config,
      schema: {
        operationId: 'listWebhooks',
        summary: 'List the destinations',
        description: 'All of them; there are few.',
        tags,
        response: {
          200: WebhookPage,
          ...problems(),
        },
      },
    },
    async () => ({ items: webhooks.list().map(webhookView), nextCursor: null }),
  )
  app.get(
    '/v1/webhooks/:webhookId',
    {
      config,
      schema: {
        operationId: 'getWebhook',
        summary: 'Read a destination',
        description: 'Without its secret.',
        tags,
        params: WebhookParams,
        response: { 200: WebhookView, ...problems('webhook-not-found') },
      },
    },
    async (request) => webhookView(webhooks.find(request.params.webhookId)),
  )
  app.delete(
    '/v1/webhooks/:webhookId',
    {
      config,
      schema: {
        operationId: 'deleteWebhook',
        summary: 'Remove a destination',
        description: 'Nothing more is delivered to it.',
        tags,
        params: WebhookParams,
        response: {
          204: z.null().meta({ description: 'Removed' }),
          ...problems(...bodyFailures, 'webhook-not-found'),
        },
      },
    },
    async (request, reply) => {
      await webhooks.remove(request.params.webhookId)
      return reply.code(204).send(null as never)
    },
  )
  app.get(
    '/v1/webhooks/:webhookId/deliveries',
    {
      config,
      schema: {
        operationId: 'listDeliveries',
        summary: 'What was tried, what waits, and what was given up',
        description: 'The latest attempts, the event that is being retried, and the dead letters.',
        tags,
        params: WebhookParams,
        response: { 200: Deliveries, ...problems('webhook-not-found') },
      },
    },
    async (request) => deliveries(webhooks.progress(request.params.webhookId)),
  )
  app.post(
    '/v1/webhooks/:webhookId/replay',
    {
      config,
      schema: {
        operationId: 'replayWebhook',
        summary: 'Deliver again from an event on',
        description: 'That event and all after it; a disabled destination is enabled by it.',
        tags,
        params: WebhookParams,
        body: ReplayWebhook,
        response: { 202: WebhookView, ...problems('webhook-not-found', ...bodyFailures) },
      },
    },
    async (request, reply) => {
      const { webhookId } = request.params
      await webhooks.replay(webhookId, request.body.from)
      return reply.code(202).send(webhookView(webhooks.find(webhookId)))
    },
  )
  app.post(
    '/v1/webhooks/:webhookId/rotate-secret',
    {
      config,
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Give a destination a new secret',
        description: 'The old one signs beside it for a day, so that a receiver can change over.',
        tags,
        params: WebhookParams,
        response: { 200: CreatedWebhook, ...problems(...bodyFailures, 'webhook-not-found') },
      },
    },
    async (request) => {
      const { webhook, secret } = await webhooks.rotateSecret(request.params.webhookId)
      return { ...webhookView(webhook), secret }
    },
  )
}

function deliveries({ attempts, failing, deadLetters }: Readonly<Progress>) {
  const time = (at: number) => new Date(at).toISOString()
  return {
    attempts: attempts.toReversed().map((attempt) => ({ ...attempt, at: time(attempt.at) })),
    failing: failing && { ...failing, since: time(failing.since), nextAt: time(failing.nextAt) },
    deadLetters: deadLetters
      .toReversed()
      .map(({ position: _, ...letter }) => ({ ...letter, at: time(letter.at) })),
  }
}

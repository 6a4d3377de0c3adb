/**
 * The deployment as the public sees it.
 *
 *   GET /webdeployments/v1/deployments/{id}/config.json
 *   GET /webdeployments/v1/deployments/{id}/domains.json
 */

import type { Answer } from '../../answer.ts'
import { notFound } from '../../refusals.ts'
import type { Operation } from '../../surface.ts'
import type { Hub, WebMessagingBehaviour } from './hub.ts'

const path = '/webdeployments/v1/deployments/:deploymentId'

export function isActive(id: string, { deployment }: WebMessagingBehaviour): boolean {
  return id !== '' && (deployment.ids === 'any' || deployment.ids.includes(id))
}

export function deploymentOperations({ world }: Pick<Hub, 'world'>): readonly Operation[] {
  const answer =
    (body: (id: string, host: string) => object): Operation['answer'] =>
    ({ params, host }): Answer => {
      const id = params.deploymentId ?? ''
      if (!isActive(id, world.behaviour.webMessaging)) return notFound()
      return { status: 200, body: body(id, host) }
    }
  return [
    {
      name: 'getConfig',
      method: 'GET',
      path: `${path}/config.json`,
      access: 'open',
      answer: answer((id, host) => config(id, host, world.behaviour.webMessaging)),
    },
    {
      name: 'getDomains',
      method: 'GET',
      path: `${path}/domains.json`,
      access: 'open',
      answer: answer(() => domains(world.behaviour.webMessaging)),
    },
  ]
}

function config(id: string, host: string, { deployment }: WebMessagingBehaviour): object {
  const { fileTypes, maxFileSizeKB, conversationDisconnect } = deployment
  return {
    id,
    version: '1',
    status: 'Active',
    languages: ['en-us'],
    defaultLanguage: 'en-us',
    apiEndpoint: `http://${host}`,
    auth: { enabled: deployment.auth, allowSessionUpgrade: deployment.allowSessionUpgrade },
    journeyEvents: { enabled: false },
    messenger: {
      enabled: true,
      fileUpload: {
        enableAttachments: deployment.attachments,
        modes: deployment.attachments ? [{ fileTypes, maxFileSizeKB }] : [],
      },
      apps: {
        conversations: {
          messagingEndpoint: `ws://${host}`,
          showAgentTypingIndicator: deployment.showAgentTypingIndicator,
          showUserTypingIndicator: deployment.showUserTypingIndicator,
          autoStart: { enabled: deployment.autoStart },
          conversationDisconnect: {
            enabled: conversationDisconnect !== 'off',
            ...(conversationDisconnect !== 'off' && { type: conversationDisconnect }),
          },
          conversationClear: { enabled: deployment.conversationClear },
          markdown: { enabled: false },
          notifications: { enabled: false },
          humanize: { enabled: deployment.humanize },
          sessionDurationSeconds: deployment.sessionDurationSeconds,
        },
      },
    },
  }
}

/** The page names the file and not what is in it. */
function domains({ deployment }: WebMessagingBehaviour): object {
  const isOpen = deployment.allowedOrigins === 'any'
  return {
    allowAllDomains: isOpen,
    allowedDomains: isOpen ? [] : deployment.allowedOrigins,
  }
}

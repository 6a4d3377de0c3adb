import type { DialectSettings } from './genesys/dialect.ts'
import { hostsOf } from './genesys/regions.ts'
import type { Settings } from './settings.ts'
import type { Simulator } from './simulator/simulator.ts'

/** The platform the gateway talks to: the organisation the settings name, or the embedded simulator. */
export interface Platform {
  baseUrl: string
  loginUrl: string
  clients: readonly { id: string; secret: string }[]
  /** WebSocket origins. */
  sockets: { messaging: string; webMessaging: string }
  dialects: DialectSettings
}

export function platformOf(settings: Settings, simulator: Simulator | null): Platform {
  const { region, baseUrl, loginUrl, messagingUrl, webMessagingUrl, clients } = settings.genesys
  const hosts = hostsOf(region)
  const simulated = socketOriginOf(simulator?.url)
  return {
    baseUrl: simulator?.url ?? baseUrl ?? apiOf(hosts.api, settings.sessions.organizationId),
    loginUrl: loginUrl ?? simulator?.url ?? baseUrl ?? hosts.login,
    clients: simulator?.clients ?? clients,
    sockets: {
      messaging: messagingUrl ?? simulated ?? hosts.messaging,
      webMessaging: webMessagingUrl ?? simulated ?? hosts.webMessaging,
    },
    dialects: dialectSettings(settings),
  }
}

/** Some organisations have an API host of their own name. */
function apiOf(api: string, organization: string | null): string {
  return organization === null ? api : api.replace('://api.', `://${organization}.`)
}

/** The embedded simulator speaks every surface on one port. */
function socketOriginOf(url: string | undefined): string | undefined {
  return url?.replace(/^http/, 'ws')
}

/** The simulator takes any channel and deployment, so on it every dialect is configured. */
function dialectSettings({ mode, sessions }: Settings): DialectSettings {
  const simulated = mode === 'simulator' ? '5e9f0a1c-51a3-4d0e-9a55-51a0c0de0001' : null
  return {
    GENESYS_CHANNEL_CONFIG_ID: sessions.channelConfigId ?? simulated,
    GENESYS_DEPLOYMENT_ID: sessions.deploymentId ?? simulated,
    GENESYS_TARGET_QUEUE_ID: sessions.queueId,
  }
}

/** Loaded only where it is the platform. */
export async function embeddedSimulator(settings: Settings): Promise<Simulator> {
  const { startSimulator } = await import('./simulator/simulator.ts')
  return startSimulator(settings.simulator)
}

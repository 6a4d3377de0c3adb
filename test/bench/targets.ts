/** The servers the rows measure, each a process of its own on the server's CPU. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { freePort } from '../support/ports.ts'
import { findProgram, onServerCpu } from './machine.ts'
import { type Server, startServer } from './processes.ts'
import { appKey } from './requests.ts'

const programs = import.meta.dirname
const gatewayProgram = path.join(programs, '..', '..', 'src', 'main.ts')

export interface GatewayOptions {
  folder: string
  /** Port of the platform. */
  platform: number
  /** SQLite file; default: a new one. */
  store?: string
  /** `GENESYS_RATE_LIMIT`. */
  quota?: string
  /** `GENESYS_DIALECT`. */
  dialect?: 'messaging-guests'
}

/** Set up as for production: one key, log to a file, store on disk. Only our own limit per key is off. */
export async function startGateway(options: GatewayOptions): Promise<Server> {
  const { folder, platform, quota = 'off' } = options
  const port = await freePort()
  return startServer({
    name: 'gateway',
    command: onServerCpu([process.execPath, gatewayProgram]),
    port,
    probe: '/health/live',
    folder,
    environment: gatewayEnvironment({ ...options, folder, platform, quota }, port),
  })
}

export function gatewayEnvironment(options: GatewayOptions, port: number): Record<string, string> {
  const { folder, platform, store = path.join(folder, `gateway-${port}.db`) } = options
  return {
    PORT: String(port),
    API_KEYS: `bench:admin:${appKey}`,
    API_RATE_LIMIT: 'off',
    GENESYS_BASE_URL: `http://127.0.0.1:${platform}`,
    GENESYS_CLIENT_ID: 'bench-client',
    GENESYS_CLIENT_SECRET: 'bench-secret-that-is-none',
    GENESYS_TARGET_QUEUE_ID: 'queue-bench',
    GENESYS_RATE_LIMIT: options.quota ?? 'off',
    STORE: `sqlite:${store}`,
    GENESYS_DIALECT: options.dialect ?? 'external-guests',
    GENESYS_MESSAGING_WS_URL: `ws://127.0.0.1:${platform}`,
  }
}

export const gatewayCommand = [process.execPath, gatewayProgram]

interface ProgramOptions {
  /** Port of the platform. */
  platform?: number
  on?: 'server' | 'load'
  environment?: Record<string, string>
}

/** One of the programs in servers/. The stub platform stays on the load's CPU unless it is measured itself. */
export async function startProgram(
  folder: string,
  name: 'stub' | 'forwarder' | 'hello' | 'guests' | 'relay',
  { platform, on = 'server', environment = {} }: ProgramOptions = {},
): Promise<Server> {
  const port = await freePort()
  const command = [process.execPath, path.join(programs, 'servers', `${name}.ts`)]
  return startServer({
    name,
    command: on === 'server' ? onServerCpu(command) : command,
    port,
    probe: '/',
    folder,
    environment: {
      PORT: String(port),
      PLATFORM: `http://127.0.0.1:${platform}`,
      PLATFORM_SOCKETS: `ws://127.0.0.1:${platform}`,
      ...environment,
    },
  })
}

/** nginx passing everything on; undefined where it is not installed. */
export async function startNginx(folder: string, platform: number): Promise<Server | undefined> {
  const nginx = findProgram('nginx')
  if (!nginx) return undefined
  const port = await freePort()
  const configuration = path.join(folder, 'nginx.conf')
  writeFileSync(configuration, nginxConfiguration(folder, port, platform))
  return startServer({
    name: 'nginx',
    command: onServerCpu([nginx, '-c', configuration, '-e', path.join(folder, 'nginx-error.log')]),
    port,
    probe: '/',
    folder,
  })
}

function nginxConfiguration(folder: string, port: number, platform: number): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log error;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000;
  ${kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
  upstream platform { server 127.0.0.1:${platform}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://platform; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`
}

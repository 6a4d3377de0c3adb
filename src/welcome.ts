import type { Gateway } from './gateway.ts'

/** What a newcomer needs to see once: where everything is, the key, and three commands to paste. */
export function welcome(
  { url, generatedKey, simulatorUrl }: Pick<Gateway, 'url' | 'generatedKey' | 'simulatorUrl'>,
  mode: 'live' | 'simulator',
): string {
  if (mode === 'live') return ''
  const key = generatedKey ?? '<one of your API_KEYS>'
  const auth = `-H 'Authorization: Bearer ${key}'`
  const json = `-H 'Content-Type: application/json'`
  const about = generatedKey
    ? 'made for this run; set API_KEYS to choose your own'
    : `for the demo: GATEWAY_URL=${url} GATEWAY_KEY=… npm run demo`
  // With a queue the guest is routed at once; without one the first message would have to make it be.
  const guest = '{"guest":{"name":"Ada"},"routing":{"queueId":"queue-demo"}}'
  return `
Genesys guest gateway

  API        ${url}/v1
  Playground ${url}/playground
  Dashboard  ${url}/dashboard
  Docs       ${url}/docs
  Platform   embedded simulator, ${simulatorUrl}
  API key    ${key}   (${about})

Create a guest session, let the bot speak, read what became of it:

  SESSION=$(curl -sS ${url}/v1/sessions ${auth} ${json} -d '${guest}' | tee /dev/stderr | sed -E 's/.*"id":"(gs_[^"]+)".*/\\1/')

  curl -sS ${url}/v1/sessions/$SESSION/messages ${auth} ${json} -d '{"text":"Hello from the bot"}'

  curl -sS ${url}/v1/sessions/$SESSION ${auth}

`
}

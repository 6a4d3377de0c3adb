/** What each setting is for and what it is when absent. `.env.example` and the README list exactly these. */
export const settingsTable: readonly { name: string; purpose: string; fallback: string }[] = [
  { name: 'HOST', purpose: 'Address to listen on', fallback: '127.0.0.1' },
  { name: 'PORT', purpose: 'Port to listen on; 0 picks a free one', fallback: '3000' },
  {
    name: 'LOG_LEVEL',
    purpose: 'trace, debug, info, warn, error, fatal or silent',
    fallback: 'info',
  },
  {
    name: 'API_KEYS',
    purpose:
      'Who may call: name:role:key or name:role:sha256:hex, comma-separated; roles app, ops, admin. Required in live mode',
    fallback: '',
  },
  {
    name: 'API_RATE_LIMIT',
    purpose: 'Requests one API key may make, or off',
    fallback: '600000/60s',
  },
  {
    name: 'ALLOWED_ORIGINS',
    purpose: 'Origins browsers and guests may come from, comma-separated',
    fallback: '',
  },
  {
    name: 'TRUST_PROXY',
    purpose: 'true, false, or the addresses of the proxies in front',
    fallback: 'false',
  },
  {
    name: 'PUBLIC_URL',
    purpose: "Origin that answers name the gateway by; default: the request's host",
    fallback: '',
  },
  {
    name: 'GENESYS_CLIENT_ID',
    purpose: 'OAuth client (client credentials). Setting it switches to live mode',
    fallback: '',
  },
  { name: 'GENESYS_CLIENT_SECRET', purpose: 'Its secret', fallback: '' },
  {
    name: 'GENESYS_CLIENTS',
    purpose: 'Several OAuth clients instead, to spread the quota: JSON array of {id, secret}',
    fallback: '',
  },
  {
    name: 'GENESYS_REGION',
    purpose: 'Region domain or AWS region name',
    fallback: 'mypurecloud.com',
  },
  { name: 'GENESYS_BASE_URL', purpose: "API origin, instead of the region's", fallback: '' },
  {
    name: 'GENESYS_LOGIN_URL',
    purpose: "OAuth origin; default: GENESYS_BASE_URL when given, else the region's",
    fallback: '',
  },
  {
    name: 'GENESYS_MESSAGING_WS_URL',
    purpose: "Messaging WebSocket origin, instead of the region's",
    fallback: '',
  },
  {
    name: 'GENESYS_WEB_MESSAGING_URL',
    purpose: "Web-messaging WebSocket origin, instead of the region's",
    fallback: '',
  },
  {
    name: 'GENESYS_OAUTH_STYLE',
    purpose: 'How credentials are sent: basic (header) or body (form)',
    fallback: 'basic',
  },
  {
    name: 'GENESYS_DIALECT',
    purpose: 'Dialect of sessions that name none',
    fallback: 'external-guests',
  },
  { name: 'GENESYS_TARGET_QUEUE_ID', purpose: 'Queue of sessions that name none', fallback: '' },
  {
    name: 'GENESYS_CHANNEL_CONFIG_ID',
    purpose: 'Channel configuration of guest-sessions',
    fallback: '',
  },
  { name: 'GENESYS_DEPLOYMENT_ID', purpose: 'Deployment of web-messaging', fallback: '' },
  {
    name: 'GENESYS_ORGANIZATION_ID',
    purpose:
      'Host name of the organisation: the API is then called at https://{it}.{region domain}',
    fallback: '',
  },
  {
    name: 'GENESYS_RATE_LIMIT',
    purpose:
      'Quota per OAuth client: 100/60s for all dialects, conversations=100/1s,… for some, or off',
    fallback: '100/60s, conversations=100/1s',
  },
  {
    name: 'GENESYS_TIMEOUT_MS',
    purpose: 'Per attempt; a call with its retries may take three times as long',
    fallback: '10000',
  },
  {
    name: 'GENESYS_ACTIVATION_TIMEOUT_MS',
    purpose: 'How long a message whose caller waits is held for a guest that is being routed',
    fallback: '30000',
  },
  {
    name: 'GENESYS_ACK_TIMEOUT_MS',
    purpose: 'How long a message sent as a frame waits for its ack before it is unconfirmed',
    fallback: '10000',
  },
  {
    name: 'GENESYS_FRAME_INTERVAL_MS',
    purpose: 'Least distance of two frames on one socket to the platform',
    fallback: '100',
  },
  {
    name: 'STRICT_CONSENT_REGIONS',
    purpose:
      'Regions that need explicit marketing and personalization consent where the dialect takes consent (guest-sessions), comma-separated',
    fallback: 'EU,UK,CA,BR',
  },
  {
    name: 'BLOCKED_PATTERNS',
    purpose: 'Texts that are refused: JSON array of RE2 patterns, case-insensitive',
    fallback: '["<script[^>]*>.*?</script>","malware\\\\.exe","blocked_keyword"]',
  },
  {
    name: 'ALLOWED_ATTACHMENT_TYPES',
    purpose: 'MIME types, comma-separated',
    fallback: 'image/png,image/jpeg,application/pdf,text/plain',
  },
  { name: 'MAX_MESSAGE_BYTES', purpose: 'UTF-8 bytes of one message', fallback: '4096' },
  { name: 'MAX_ATTACHMENT_BYTES', purpose: 'Bytes of one attachment', fallback: '26214400' },
  { name: 'STORE', purpose: 'memory, or sqlite:PATH', fallback: 'sqlite:data/gateway.db' },
  {
    name: 'STORE_SYNC',
    purpose: 'normal survives a crash of the process, full a loss of power too',
    fallback: 'normal',
  },
  {
    name: 'STORE_KEY',
    purpose:
      '32 bytes in base64 that encrypt guest tokens at rest; default: a key file beside the database',
    fallback: '',
  },
  { name: 'SESSION_RETENTION', purpose: 'How long ended sessions are kept', fallback: '30d' },
  {
    name: 'AUDIT_RETENTION',
    purpose: 'How long the audit of ended sessions is kept, at least as long as they are',
    fallback: '400d',
  },
  {
    name: 'ANALYTICS_WEBHOOK_URL',
    purpose: 'Gets the flat session_started and message_transmission objects',
    fallback: '',
  },
  {
    name: 'CRM_WEBHOOK_URL',
    purpose: 'Gets the session events as CloudEvents',
    fallback: '',
  },
  {
    name: 'WEBHOOK_ALLOW_PRIVATE',
    purpose: 'Let webhooks go to, and attachments come from, private addresses and plain http',
    fallback: 'false',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    purpose:
      'Where an OpenTelemetry collector takes OTLP over HTTP, such as http://localhost:4318; spans are exported there',
    fallback: '',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    purpose:
      'The whole address for spans, instead of the one above with /v1/traces; alone it exports nothing',
    fallback: '',
  },
  {
    name: 'SIMULATOR',
    purpose: 'Run on the embedded simulator; default: true when no OAuth client is set',
    fallback: '',
  },
  { name: 'SIMULATOR_PORT', purpose: 'Its port; 0 picks a free one', fallback: '0' },
  { name: 'SIMULATOR_ACTIVATION_MS', purpose: 'How long it routes a guest', fallback: '1500' },
  {
    name: 'SIMULATOR_RATE_LIMIT',
    purpose: 'Its quota per OAuth client, or off',
    fallback: '100/60s',
  },
]

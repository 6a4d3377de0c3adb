/** Every OAuth scope the surfaces ask for: what a client has that was given no list of its own. */
export const everyScope: ReadonlySet<string> = new Set([
  'webmessaging:guest',
  'webmessaging:guest:read',
  'webmessaging:guest:write',
  'webhooks:readwrite',
  'conversation:messaging:write',
  'identity:manage',
  'messaging:conversation:read',
  'messaging:conversation:write',
  'webchat:guest:read',
  'webchat:guest:send',
  'webchat:guest:write',
])

/** Frames of the published Guest API as its server writes them. */

type Frame = Record<string, unknown>

/** Carries a message of the guest, on whichever surface. */
export function isMessage(frame: Frame): boolean {
  return frame.type === 'message' || (frame.message as Frame | undefined)?.type === 'Text'
}

export function sessionResponse(body: Frame = {}): Frame {
  return {
    type: 'response',
    class: 'SessionResponse',
    code: 200,
    body: { connected: true, readOnly: false, ...body },
    tracingId: 'gateway:configure',
  }
}

/** The guest's own message, given back. */
export function echo({ tracingId, message }: Frame, id: string, metadata: Frame = {}): Frame {
  const { text } = message as { text: string }
  const body = {
    id,
    type: 'Text',
    direction: 'Inbound',
    text,
    channel: { time: new Date().toISOString(), messageId: `channel of ${id}` },
    metadata: { correlationId: `correlation of ${id}`, ...metadata },
  }
  return { type: 'message', class: 'StructuredMessage', code: 200, body, tracingId }
}

/** Something said to the guest. */
export function outbound(text: string, at: number, extra: Frame = {}): Frame {
  const body = {
    id: `id of ${text}`,
    type: 'Text',
    direction: 'Outbound',
    originatingEntity: 'Human',
    text,
    channel: { time: new Date(at).toISOString(), type: 'Private', from: { nickname: 'Ana' } },
    metadata: { correlationId: `correlation of ${text}` },
    ...extra,
  }
  return { type: 'message', class: 'StructuredMessage', code: 200, body }
}

export function refusal({ tracingId }: Frame, code: number, text = 'Request failed.'): Frame {
  return { type: 'response', class: 'string', code, body: text, tracingId }
}

/** `retryAfter` in seconds. */
export function tooManyRequests({ tracingId }: Frame, retryAfter: number): Frame {
  const name = 'TooManyRequestsErrorMessage'
  const errorMessage = 'Message rate too high for this session'
  const body = { retryAfter, errorCode: 4029, errorMessage, name, message: errorMessage }
  return { type: 'response', class: name, code: 429, body, tracingId }
}

export function jwtResponse(exp = Math.floor(Date.now() / 1_000) + 900): Frame {
  return { type: 'response', class: 'JwtResponse', code: 200, body: { jwt: 'fake.jwt', exp } }
}

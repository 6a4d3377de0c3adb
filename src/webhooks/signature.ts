import { Webhook as Signer } from 'standardwebhooks'

const prefix = 'whsec_'

/** A destination's secret as its owner gets it (Standard Webhooks). */
export function secretText(key: Buffer): string {
  return prefix + key.toString('base64')
}

/** The three headers of Standard Webhooks. Several secrets sign while one replaces another. */
export function signatureHeaders(
  secrets: readonly string[],
  id: string,
  at: Date,
  body: string,
): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Signer(secret).sign(id, at, body)).join(' '),
  }
}

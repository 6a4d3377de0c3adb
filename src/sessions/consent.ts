import { GatewayError } from '../errors.ts'
import type { Consent } from './session.ts'

/**
 * Throws `consent-required` where the region asks for explicit marketing and personalization consent and either is
 * missing. Regions are compared without regard to case.
 */
export function requireConsent(
  strictRegions: readonly string[],
  region: string | null,
  consent: Pick<Consent, 'marketing' | 'personalization'> | null,
): void {
  if (region === null) return
  const strict = strictRegions.some((name) => name.toUpperCase() === region.toUpperCase())
  if (!strict || (consent?.marketing && consent.personalization)) return
  const missing = [
    ...(consent?.marketing ? [] : ['marketing']),
    ...(consent?.personalization ? [] : ['personalization']),
  ]
  throw new GatewayError(
    'consent-required',
    `${region} needs explicit consent to ${missing.join(' and ')}`,
    {
      errors: missing.map((flag) => ({ pointer: `/consent/${flag}`, detail: 'must be true' })),
    },
  )
}

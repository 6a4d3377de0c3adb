import type { Tracer } from '../tracing.ts'
import type { OtlpTracerDeps } from './otlp-tracer.ts'

/** `url`: where spans are posted to, whole; null for nowhere. */
export type TracerDeps = Omit<OtlpTracerDeps, 'url'> & { url: string | null }

/** Records spans where somebody collects them; what that takes is loaded only then. */
export async function openTracer({
  url,
  ...deps
}: TracerDeps): Promise<(Tracer & AsyncDisposable) | undefined> {
  if (url === null) return undefined
  const { openOtlpTracer } = await import('./otlp-tracer.ts')
  return openOtlpTracer({ ...deps, url })
}

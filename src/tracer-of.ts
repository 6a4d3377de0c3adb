import type { TracerDeps } from './insight/open-tracer.ts'
import type { Settings } from './settings.ts'
import type { Tracer } from './tracing.ts'

/** Records spans where the settings name a collector; what that takes is loaded only then. */
export async function tracerOf(
  { tracing: { url } }: Settings,
  deps: Omit<TracerDeps, 'url'>,
): Promise<(Tracer & AsyncDisposable) | undefined> {
  if (url === null) return undefined
  const { openTracer } = await import('./insight/open-tracer.ts')
  return openTracer({ ...deps, url })
}

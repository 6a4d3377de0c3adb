/** A gateway's sessions seen from outside. */
import { until } from '../support/until.ts'
import { call } from './requests.ts'

const activeWithinMs = 30_000

/** Resolves when no session is pending any more. */
export async function allActive(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/v1/sessions?state=pending&limit=1`
  const nonePends = async () => ((await call('GET', url)) as { items: [] }).items.length === 0
  await until('every session is active', nonePends, activeWithinMs)
}

/** Writes openapi/openapi.yaml from the routes' own schemas: `npm run openapi`. A test compares the two. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type AppDeps, buildApp } from '../src/http/build-app.ts'
import { openApiYaml } from '../src/http/openapi.ts'
import type { App } from '../src/http/server.ts'

export const openApiFile = new URL('../openapi/openapi.yaml', import.meta.url)

/** The app with all its routes and none of what they call: enough to describe them. The caller closes it. */
export function uncalledApp(): App {
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  return buildApp({ version, trustProxy: false } as unknown as AppDeps)
}

/** The description as YAML. */
export async function describedApi(): Promise<string> {
  const app = uncalledApp()
  await app.ready()
  const yaml = await openApiYaml(app)
  await app.close()
  return yaml
}

if (import.meta.main) writeFileSync(openApiFile, await describedApi())

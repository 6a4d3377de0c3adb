/** Writes openapi/openapi.yaml from the routes' own schemas: `npm run openapi`. A test compares the two. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type AppDeps, addRoutes, buildApp } from '../src/http/build-app.ts'
import { describedApp, openApiYaml } from '../src/http/openapi.ts'
import type { App } from '../src/http/server.ts'

export const openApiFile = new URL('../openapi/openapi.yaml', import.meta.url)

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

/** None of what routes call: enough to describe them. */
const uncalled = { version, trustProxy: false } as unknown as AppDeps

/** The app with all its routes and none of what they call. The caller closes it. */
export function uncalledApp(): App {
  return buildApp(uncalled)
}

/** The description as YAML. */
export async function describedApi(): Promise<string> {
  await using stack = new AsyncDisposableStack()
  const app = await describedApp((routes) => addRoutes(routes, uncalled), version)
  stack.defer(() => app.close())
  return openApiYaml(app)
}

if (import.meta.main) writeFileSync(openApiFile, await describedApi())

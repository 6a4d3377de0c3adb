/** Writes openapi/openapi.yaml from the routes' own schemas: `npm run openapi`. A test compares the two. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type AppDeps, buildApp } from '../src/http/build-app.ts'
import { openApiYaml } from '../src/http/openapi.ts'

export const openApiFile = new URL('../openapi/openapi.yaml', import.meta.url)

/** The description as JSON and YAML. Nothing is started: routes only need their services when they are called. */
export async function describedApi(): Promise<{ document: object; yaml: string }> {
  const { version } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  const uncalled = { version, trustProxy: false } as unknown as AppDeps
  const app = buildApp(uncalled)
  await app.ready()
  const described = { document: app.swagger(), yaml: openApiYaml(app) }
  await app.close()
  return described
}

if (import.meta.main) writeFileSync(openApiFile, (await describedApi()).yaml)

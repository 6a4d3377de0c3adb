/** Writes `.env.example` and the README's settings table: `npm run settings`. A test compares them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { settingsTable } from '../src/settings-table.ts'

const envFile = new URL('../.env.example', import.meta.url)
const readme = new URL('../README.md', import.meta.url)
const [open, close] = ['<!-- settings -->\n', '<!-- /settings -->']

export function envExample(): string {
  const entries = settingsTable.map(
    ({ name, purpose, fallback }) => `# ${purpose}\n# ${name}=${fallback}\n`,
  )
  return `# Copy to .env and uncomment what you change. Shown are the defaults.\n\n${entries.join('\n')}`
}

/** The README with its settings table made anew. */
export function readmeWithSettings(text: string): string {
  const rows = settingsTable.map(({ name, purpose, fallback }) => {
    const value = fallback === '' ? '' : `\`${fallback.replaceAll('|', '\\|')}\``
    return `| \`${name}\` | ${purpose} | ${value} |\n`
  })
  const table = `| setting | for | default |\n| --- | --- | --- |\n${rows.join('')}`
  const [before = '', rest = ''] = text.split(open)
  return `${before}${open}${table}${close}${rest.split(close)[1] ?? ''}`
}

if (import.meta.main) {
  writeFileSync(envFile, envExample())
  writeFileSync(readme, readmeWithSettings(readFileSync(readme, 'utf8')))
}

import path from 'node:path'
import type { Import } from './imports.ts'
import type { SourceFile } from './repository.ts'

/**
 * Who may import whom. Paths are below src/; a row holds for the files its `of` matches, the first row that matches
 * counts, and what is in neither list is refused. `types` may be imported with `import type` only.
 */
export interface Rule {
  of: string
  may: readonly string[]
  types?: readonly string[]
}

/** Everybody's vocabulary. */
const vocabulary = [
  'errors.ts',
  'clock.ts',
  'json.ts',
  'redact.ts',
  'public-addresses.ts',
  'ed25519.ts',
  'trace.ts',
  'tracing.ts',
]
/** The facts a session is made of. */
const facts = [
  'sessions/session.ts',
  'sessions/message.ts',
  'sessions/events.ts',
  'sessions/audit-entry.ts',
]

export const rules: readonly Rule[] = [
  // The program: it starts the gateway, greets, and explains why it could not.
  {
    of: 'main.ts',
    may: [
      'gateway.ts',
      'settings.ts',
      'welcome.ts',
      'handover.ts',
      'log-lines.ts',
      'logger.ts',
      'store/refused.ts',
      'store/store.ts',
      ...vocabulary,
    ],
  },
  { of: 'welcome.ts', may: vocabulary, types: ['gateway.ts', 'settings.ts'] },
  { of: 'gateway.ts', may: ['**'] },
  {
    of: 'session-layer.ts',
    may: ['sessions/**', 'genesys/**', ...vocabulary],
    types: ['platform.ts', 'settings.ts', 'store/store.ts'],
  },
  {
    of: 'departure-book.ts',
    may: ['sessions/store-trouble.ts', ...facts, ...vocabulary],
    types: ['genesys/departures.ts', 'store/store.ts'],
  },
  {
    of: 'platform-webhook-book.ts',
    may: ['sessions/store-trouble.ts', ...facts, ...vocabulary],
    types: ['genesys/platform-webhooks.ts', 'platform.ts', 'store/store.ts'],
  },
  { of: 'platform-note.ts', may: vocabulary, types: ['store/store.ts'] },
  {
    of: 'platform.ts',
    may: ['genesys/**', 'simulator/simulator.ts', ...vocabulary],
    types: ['settings.ts'],
  },
  {
    of: 'operator-views.ts',
    may: ['genesys/**', ...facts, ...vocabulary],
    types: ['settings.ts', 'insight/stats.ts', 'webhooks/dispatcher.ts'],
  },
  { of: 'settings*.ts', may: ['settings*.ts', 'genesys/regions.ts', ...facts, ...vocabulary] },
  { of: '*.ts', may: vocabulary },

  {
    of: 'http/**',
    may: [
      'http/**',
      'sessions/**',
      'insight/**',
      'webhooks/**',
      'store/store.ts',
      'genesys/dialect.ts',
      'genesys/platform-webhooks.ts',
      ...vocabulary,
    ],
    types: ['settings.ts'],
  },
  {
    of: 'sessions/**',
    may: ['sessions/**', 'genesys/dialect.ts', 'store/store.ts', 'store/cursor.ts', ...vocabulary],
    types: ['genesys/client.ts', 'genesys/socket.ts', 'settings.ts'],
  },
  { of: 'genesys/**', may: ['genesys/**', ...facts, ...vocabulary], types: ['settings.ts'] },
  { of: 'store/**', may: ['store/**', ...facts, ...vocabulary], types: ['settings.ts'] },
  {
    of: 'webhooks/**',
    may: [
      'webhooks/**',
      'store/store.ts',
      'sessions/ids.ts',
      'sessions/views.ts',
      ...facts,
      ...vocabulary,
    ],
    types: ['settings.ts'],
  },
  {
    of: 'insight/**',
    may: ['insight/**', 'store/store.ts', 'sessions/close-reasons.ts', ...facts, ...vocabulary],
    types: ['settings.ts'],
  },
  // A second, independent reading of the platform's documents: it shares nothing with the first.
  { of: 'simulator/**', may: ['simulator/**', 'clock.ts', 'json.ts'] },
  { of: 'pages/**', may: ['pages/**'] },
]

/** Where the process is looked at: its environment, signals, output and exit code. */
const programs = ['src/main.ts', 'src/simulator/main.ts']

/** One line for each import that no rule allows. */
export function forbiddenImports(imports: readonly Import[], table = rules): string[] {
  return imports.flatMap(({ from, to, isType, line }) => {
    const rule = table.find(({ of }) => matches(from, of))
    if (!rule) return [`${from} has no rule: add a row for its folder`]
    const allowed = isType ? [...rule.may, ...(rule.types ?? [])] : rule.may
    if (allowed.some((pattern) => matches(to, pattern))) return []
    const types = rule.types?.map((pattern) => `types of ${pattern}`) ?? []
    return [
      `${from}:${line} imports ${to}, but ${rule.of} may import only ${[...rule.may, ...types].join(', ')}`,
    ]
  })
}

/** One line for each use of the process outside the programs. */
export function processUses(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !programs.includes(file.path))
    .flatMap((file) =>
      file.text.split('\n').flatMap((line, index) => {
        const code = line.replace(/^\s*(\/?\*|\/\/).*|\s\/\/ .*/, '')
        return /\bprocess\b(\.|\[)|['"](node:)?process['"]/.test(code)
          ? [`${file.path}:${index + 1} uses the process: ${line.trim()}`]
          : []
      }),
    )
}

function matches(file: string, pattern: string): boolean {
  return path.posix.matchesGlob(file, `src/${pattern}`)
}

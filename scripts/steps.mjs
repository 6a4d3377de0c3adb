/**
 * Runs named steps one after the other, all of them even when one fails, and sums them up in a table.
 * A step resolves with `{ ok, note? }`; one that `isNeeded` and fails leaves the rest undone.
 */
export async function runSteps(steps) {
  const results = []
  for (const step of steps) {
    if (results.some((result) => result.isNeeded && !result.ok)) {
      results.push({ name: step.name, ok: false, outcome: 'not run' })
      continue
    }
    console.log(`\n== ${step.name}`)
    const startedAt = performance.now()
    const { ok, note } = await step.run().catch((error) => ({ ok: false, note: error.message }))
    const seconds = (performance.now() - startedAt) / 1000
    const outcome = ok ? 'ok' : 'FAILED'
    results.push({ name: step.name, isNeeded: step.isNeeded, ok, outcome, seconds, note })
  }
  return results
}

/** One line per step: name, outcome, seconds, and its note. */
export function summaryOf(results) {
  const width = Math.max(...results.map((result) => result.name.length))
  return results
    .map(({ name, outcome, seconds, note }) =>
      [
        name.padEnd(width),
        outcome.padEnd('not run'.length),
        (seconds === undefined ? '' : `${seconds.toFixed(1)} s`).padStart(8),
        note ?? '',
      ]
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

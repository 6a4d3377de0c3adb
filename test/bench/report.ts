/** What a row found, and the table made of it. */
import { short } from './numbers.ts'

export type Goal = { atLeast: number } | { atMost: number }

export interface Figure {
  /** Name of the row it belongs to. */
  row: string
  measured: string
  unit: string
  ours: number
  /** The baselines of the same run, by name, in the same unit. */
  beside?: Record<string, number>
  /** What the goal is about, where that is not `ours` itself: mostly a ratio. */
  result?: { value: number; of: string }
  goal?: Goal
}

export interface Row {
  name: string
  run(folder: string): Promise<Figure[]>
}

/** Undefined where there is no goal. */
export function isReached({ ours, result, goal }: Figure): boolean | undefined {
  if (!goal) return undefined
  const value = result?.value ?? ours
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

export function table(figures: readonly Figure[]): string {
  const head = ['row', 'measured', 'ours', 'beside it', 'result', 'goal', 'reached']
  const lines = [head, head.map(() => '---'), ...figures.map(cells)]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function cells(figure: Figure): string[] {
  const { row, measured, unit, ours, beside = {}, result } = figure
  const reached = isReached(figure)
  return [
    row,
    measured,
    `${short(ours)} ${unit}`,
    Object.entries(beside)
      .map(([name, value]) => `${name} ${short(value)}`)
      .join(', '),
    result ? `${short(result.value)} ${result.of}` : '',
    goalText(figure.goal),
    reached === undefined ? '' : reached ? 'yes' : '**no**',
  ]
}

function goalText(goal: Goal | undefined): string {
  if (!goal) return ''
  return 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`
}

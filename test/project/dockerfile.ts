/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  name: string
  /** All that follows the name. */
  rest: string
}

export function parseDockerfile(text: string): Instruction[] {
  return text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = ''] = line.split(' ', 1)
      return { name, rest: line.slice(name.length).trim() }
    })
}

/** What an instruction that stands once is given. */
export function only(instructions: readonly Instruction[], name: string): string {
  const [found, ...others] = instructions.filter((instruction) => instruction.name === name)
  if (!found || others.length > 0) throw new Error(`expected one ${name}`)
  return found.rest
}

/** The command of a CMD or HEALTHCHECK in its list form. */
export function listForm(rest: string): string[] {
  const list: unknown = JSON.parse(rest.slice(rest.indexOf('[')))
  return Array.isArray(list) ? list.map(String) : []
}

/** `ENV A=1 B=2` as an object. Values are without spaces here. */
export function environmentOf(instructions: readonly Instruction[]): Record<string, string> {
  const pairs = instructions
    .filter((instruction) => instruction.name === 'ENV')
    .flatMap((instruction) => instruction.rest.split(' '))
  return Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/, 2) as [string, string]))
}

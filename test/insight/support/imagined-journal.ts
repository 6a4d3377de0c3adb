/** A journal out of thin air: what could happen, in any order that can be. */
import type { EventType, JournalEvent } from '../../../src/sessions/events.ts'
import { type DialectName, dialectNames } from '../../../src/sessions/session.ts'
import type { Dice } from '../../support/dice.ts'

interface Live {
  id: string
  dialect: DialectName
  createdAt: number
  activatedAt: number | null
  messages: number
  /** Outbound ones that may be sent or tried again, and whether they stand in line. */
  outbound: Map<string, boolean>
}

export function imaginedJournal(dice: Dice, length: number): JournalEvent[] {
  const events: JournalEvent[] = []
  const live: Live[] = []
  let at = Date.UTC(2026, 0, 1)
  let count = 0

  const add = (type: EventType, session: Live, data: object, message: string | null = null) => {
    const isNew = type === 'message.received' || (type === 'message.accepted' && message !== null)
    events.push({
      id: `evt_${events.length}`,
      type,
      at,
      messageId: message,
      ordinal: isNew && !session.outbound.has(message ?? '') ? session.messages + 1 : null,
      actor: null,
      trace: null,
      data: JSON.stringify(data),
      sessionId: session.id,
      sequence: 1,
      position: events.length * 2 + 1,
    })
  }
  const sessionData = ({ dialect, createdAt, activatedAt }: Live) => ({
    dialect,
    createdAt: new Date(createdAt).toISOString(),
    activatedAt: activatedAt && new Date(activatedAt).toISOString(),
    latencyMs: { create: 12, activate: activatedAt && activatedAt - createdAt },
  })

  const create = () => {
    count += 1
    const createdAt = at - dice.between(0, 90_000)
    const id = `gs_${count}`
    const dialect = dice.one(dialectNames)
    const session: Live = {
      ...{ id, dialect, createdAt },
      ...{ activatedAt: null, messages: 0, outbound: new Map<string, boolean>() },
    }
    live.push(session)
    add('session.created', session, sessionData(session))
  }
  const end = (session: Live) => {
    live.splice(live.indexOf(session), 1)
    const type = dice.one(['session.closed', 'session.expired', 'session.failed'] as const)
    add(type, session, sessionData(session))
  }
  const speak = (session: Live) => {
    count += 1
    const id = `msg_${count}`
    const inbound = dice.fraction() < 0.4
    add(inbound ? 'message.received' : 'message.accepted', session, {}, id)
    session.messages += 1
    if (!inbound) session.outbound.set(id, true)
  }
  const settle = (session: Live) => {
    const [message] = [...session.outbound].filter(() => dice.fraction() < 0.7)
    if (!message) return speak(session)
    const [id, isInLine] = message
    if (!isInLine) {
      add('message.accepted', session, {}, id)
      session.outbound.set(id, true)
      return
    }
    const type = dice.one(['message.sent', 'message.failed', 'message.unconfirmed'] as const)
    add(type, session, { latencyMs: type === 'message.sent' ? 40 : null, attempts: 1 }, id)
    if (type === 'message.sent') session.outbound.delete(id)
    else session.outbound.set(id, false)
  }

  while (events.length < length) {
    at += dice.between(0, 8000)
    const session = live.length > 0 ? dice.one(live) : undefined
    const roll = dice.fraction()
    if (!session || roll < 0.15) create()
    else if (roll < 0.25) end(session)
    else if (roll < 0.35 && session.activatedAt === null) {
      session.activatedAt = at
      add('session.activated', session, sessionData(session))
    } else if (roll < 0.55) speak(session)
    else settle(session)
  }
  return events
}

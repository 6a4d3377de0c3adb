import { auditContract } from '../contract/audit.contract.ts'
import { journalContract } from '../contract/journal.contract.ts'
import { messageContract } from '../contract/message.contract.ts'
import { sessionContract } from '../contract/session.contract.ts'
import { storeContract } from '../contract/store.contract.ts'
import { openFile, openMemory } from './engines.ts'

const engines = {
  memory: openMemory,
  'sqlite, normal': openFile('normal'),
  'sqlite, full': openFile('full'),
}

for (const [name, open] of Object.entries(engines)) {
  storeContract(name, open)
  sessionContract(name, open)
  messageContract(name, open)
  journalContract(name, open)
  auditContract(name, open)
}

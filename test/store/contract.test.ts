import { auditContract } from '../contract/audit.contract.ts'
import { storeContract } from '../contract/store.contract.ts'
import { openFile, openMemory } from './engines.ts'

const engines = {
  memory: openMemory,
  'sqlite, normal': openFile('normal'),
  'sqlite, full': openFile('full'),
}

for (const [name, open] of Object.entries(engines)) {
  storeContract(name, open)
  auditContract(name, open)
}

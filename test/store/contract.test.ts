import { storeContract } from '../contract/store.contract.ts'
import { openFile, openMemory } from './engines.ts'

storeContract('memory', openMemory)
storeContract('sqlite, normal', openFile('normal'))
storeContract('sqlite, full', openFile('full'))

/**
 * Before a program that installs nothing itself: ends with one line about what to do where it could not run. For a
 * production start the packages of `npm ci --omit=dev` are enough, when the Node is new enough.
 */
import { main, requireInstalled } from './toolchain.mjs'

await main(async () => requireInstalled())

/** Every action a guest's frame can name. */
import type { OpenAction, SessionAction } from './action.ts'
import { deleteAttachment, getAttachment, onAttachment } from './attachments.ts'
import { configureAuthenticatedSession } from './authenticated.ts'
import { closeSession, configureSession, getConfiguration } from './configure.ts'
import { onMessage } from './on-message.ts'
import { echo, getJwt } from './small-actions.ts'

/** Those that need no session. */
export const openActions: ReadonlyMap<string, OpenAction> = new Map(
  Object.entries({ configureSession, configureAuthenticatedSession, getConfiguration }),
)

/** Those of a configured connection. */
export const sessionActions: ReadonlyMap<string, SessionAction> = new Map(
  Object.entries({
    onMessage,
    echo,
    onAttachment,
    getAttachment,
    deleteAttachment,
    getJwt,
    closeSession,
  }),
)

/** U20 Named in the schema, used by nobody. */
export const unusedActions: readonly string[] = ['disconnectCustomer', 'resumeToken']

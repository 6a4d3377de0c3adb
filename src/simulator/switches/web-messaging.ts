/** The published Guest API: the deployment it is used with, its limits, and what is not published, numbered U1 to U21. */
import { z } from 'zod'
import { RateLimit } from './rate-limit.ts'

const perSecond = (limit: number) => ({ limit, windowMs: 1_000 })
const perMinute = (limit: number) => ({ limit, windowMs: 60_000 })
const atMost = z.union([z.int().positive(), z.literal('off')])
const seconds = z.union([z.number().positive(), z.literal('off')])

/** What an administrator sets, and `config.json` shows. One for all deployments. */
const Deployment = z.strictObject({
  /** Ids of the active deployments; others are refused. */
  ids: z.union([z.literal('any'), z.array(z.string())]).default('any'),
  /** With a list, a socket without an Origin is refused too. */
  allowedOrigins: z.union([z.literal('any'), z.array(z.string())]).default('any'),
  autoStart: z.boolean().default(false),
  conversationDisconnect: z.enum(['ReadOnly', 'Send', 'off']).default('ReadOnly'),
  conversationClear: z.boolean().default(true),
  showUserTypingIndicator: z.boolean().default(true),
  showAgentTypingIndicator: z.boolean().default(true),
  /** Whether messages from the other side say who wrote them. */
  humanize: z.boolean().default(true),
  sessionDurationSeconds: z.number().positive().default(259_200),
  attachments: z.boolean().default(true),
  /** MIME types, or everything. */
  fileTypes: z.array(z.string()).default(['*/*']),
  maxFileSizeKB: z.number().positive().default(10_240),
  blockedExtensions: z.array(z.string()).default(['.ade', '.adp', '.bat', '.exe', '.js']),
  /** Guests may sign in. */
  auth: z.boolean().default(false),
  /** A guest session may become an authenticated one. */
  allowSessionUpgrade: z.boolean().default(false),
})

const Limits = z.strictObject({
  messagesPerSession: RateLimit.default(perSecond(5)),
  requestsPerConnection: RateLimit.default(perMinute(60)),
  configuresPerSession: RateLimit.default(perMinute(60)),
  connectionsPerDeployment: RateLimit.default(perMinute(1_000)),
  connectionsPerSession: atMost.default(3),
  historyReadsPerSession: RateLimit.default(perMinute(10)),
  echoesPerConnection: RateLimit.default(perMinute(2)),
  typingPerSession: RateLimit.default({ limit: 1, windowMs: 5_000 }),
  textBytes: atMost.default(4_096),
  customAttributesBytes: atMost.default(2_048),
  fileNameChars: atMost.default(1_024),
  tokenChars: atMost.default(2_048),
  /** U2 */
  frameBytes: atMost.default(32_768),
  /** U1 Without a frame or a ping. */
  idleSeconds: seconds.default(600),
  /** U1 */
  connectionAgeSeconds: seconds.default(7_200),
})

export const WebMessagingSwitches = z.strictObject({
  deployment: Deployment.prefault({}),
  limits: Limits.prefault({}),

  /** U1 The close code of a connection that is idle or too old. */
  serverCloseCode: z.int().min(1000).max(4999).default(1001),
  /** U2 What a frame over the limit brings. */
  oversizeFrame: z.enum(['close-1009', 'error-413']).default('close-1009'),
  /** U3 The code of anything before configureSession. */
  beforeConfigureCode: z.union([z.literal(4007), z.literal(400)]).default(4007),
  /** U4 The code of a token used with another deployment than its own. */
  wrongDeploymentCode: z.union([z.literal(403), z.literal(400)]).default(403),
  /** U5 An upgrade refused for its deployment or Origin. */
  refusedUpgradeStatus: z.union([z.literal(403), z.literal(401), z.literal(404)]).default(403),
  /** U5 */
  refusedUpgradeBody: z.enum(['empty', 'error']).default('empty'),
  /** U6 The code of a message that makes no sense; the later ones are in use and nobody says what for. */
  invalidMessageCode: z
    .union([z.literal(400), z.literal(4012), z.literal(4014), z.literal(4015), z.literal(4016)])
    .default(400),
  /** U7 */
  tracingIdOnErrors: z.boolean().default(true),
  /** U8 Whether the metadata of a message comes back in its echo. */
  metadataEchoed: z.boolean().default(true),
  /** U9 */
  jwtTtlSeconds: z.number().positive().default(900),
  /** Whether a JWT dies with the connection that asked for it, or only by its time. */
  jwtDiesWith: z.enum(['connection', 'time']).default('connection'),
  /** U12 */
  historyOrder: z.enum(['newest-first', 'oldest-first']).default('newest-first'),
  /** Whether `channel.time` is null in history. */
  historyTimes: z.enum(['given', 'null']).default('given'),
  /** The status of a history read with an OAuth token instead of a guest's JWT. */
  historyWithOAuthStatus: z.union([z.literal(401), z.literal(403)]).default(401),
  /** Whether what was cleared can still be read until the JWT expires. */
  clearedHistory: z.enum(['gone', 'readable']).default('gone'),
  /** U13 Whether an OAuth client may write as the agent. */
  agentMessagesByClient: z.enum(['forbidden', 'allowed']).default('forbidden'),
  /** U14 How long after a ConnectionClosedEvent the server closes the socket itself. */
  closesAfterSeconds: z.union([z.number().nonnegative(), z.literal('never')]).default(5),
  /** U15 What closeAllConnections: false does to the other connections. */
  closeOneConnection: z.enum(['others-stay', 'others-close']).default('others-stay'),
  /** U17 The class of a plain error. */
  errorClass: z.enum(['string', 'Error', 'ErrorMessage']).default('string'),
  /** U18 What a guest sees of a disconnect when Conversation Disconnect is off. */
  disconnectWhenOff: z.enum(['nothing', 'event']).default('nothing'),
  /** U19 */
  attachmentIdFormat: z.enum(['uuid', 'any']).default('uuid'),
  /** U20 disconnectCustomer and resumeToken. */
  unusedActions: z.enum(['error-400', 'ignored']).default('error-400'),
  /** U21 A message with the tracingId of one before it. */
  repeatedTracingId: z.enum(['delivered', 'echoed-only']).default('delivered'),

  /** The code of a request without a field it needs. */
  missingParameterCode: z.union([z.literal(400), z.literal(4020)]).default(400),
  /** What a SessionResponse tells; older captures have two fields. */
  sessionResponse: z.enum(['full', 'minimal']).default('full'),
  /** What a guest sending Presence Disconnect gets. */
  guestDisconnect: z.enum(['error-400', 'ends']).default('error-400'),
  /** How a GenerateUrlError is dressed: an error answer, or a push with code 200. */
  generateUrlErrorAs: z.enum(['response-400', 'message-200']).default('response-400'),
  /** How many requests over a limit close the connection. */
  violationsBeforeClose: z.union([z.int().positive(), z.literal('never')]).default('never'),
  /** From the upload until its event. */
  scanMs: z.number().nonnegative().default(200),
  /** What becomes of uploads: judged by their content, failed, or no word of them. */
  scan: z.enum(['by-content', 'fails', 'silent']).default('by-content'),
  /** How long upload and download addresses are good. */
  presignedUrlTtlSeconds: z.number().positive().default(600),
  /** How long an uploaded file may wait for its message. */
  attachmentTtlSeconds: z.number().positive().default(86_400),
})

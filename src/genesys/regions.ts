/** Where an organisation lives. Any domain is accepted, because Genesys keeps adding regions; AWS names are understood too. */

/** Origins, without a trailing slash. */
export interface Hosts {
  api: string
  login: string
  messaging: string
  webMessaging: string
}

/** From the platform's region list; `eusc-de-east-1` is announced but not yet seen in its SDKs. */
const domainOfAwsRegion: Readonly<Record<string, string>> = {
  'us-east-1': 'mypurecloud.com',
  'us-east-2': 'use2.us-gov-pure.cloud',
  'us-west-2': 'usw2.pure.cloud',
  'ca-central-1': 'cac1.pure.cloud',
  'mx-central-1': 'mxc1.pure.cloud',
  'sa-east-1': 'sae1.pure.cloud',
  'eu-west-1': 'mypurecloud.ie',
  'eu-west-2': 'euw2.pure.cloud',
  'eu-central-1': 'mypurecloud.de',
  'eu-central-2': 'euc2.pure.cloud',
  'eusc-de-east-1': 'edee1.eusc-pure.cloud',
  'me-central-1': 'mec1.pure.cloud',
  'ap-south-1': 'aps1.pure.cloud',
  'ap-southeast-1': 'apse1.pure.cloud',
  'ap-southeast-2': 'mypurecloud.com.au',
  'ap-northeast-1': 'mypurecloud.jp',
  'ap-northeast-2': 'apne2.pure.cloud',
  'ap-northeast-3': 'apne3.pure.cloud',
}

const servicePrefix = /^(?:api|login|apps|messaging|webmessaging)\./

/**
 * The hosts of `region`: an AWS region name, a domain (`mypurecloud.ie`), one of its hosts (`api.mypurecloud.ie`)
 * or a URL of one. Throws, naming the value, when it cannot be part of a host name.
 */
export function hostsOf(region: string): Hosts {
  const domain = domainOf(region)
  return {
    api: `https://api.${domain}`,
    login: `https://login.${domain}`,
    messaging: `wss://messaging.${domain}`,
    webMessaging: `wss://webmessaging.${domain}`,
  }
}

function domainOf(region: string): string {
  const host = region
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[/?#].*$/, '')
    .replace(/\.(?=$|:)/, '')
  const domain = domainOfAwsRegion[host] ?? host.replace(servicePrefix, '')
  if (!/^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d{1,5})?$/.test(domain)) {
    throw new Error(`"${region}" is neither a region name nor a domain`)
  }
  return domain
}

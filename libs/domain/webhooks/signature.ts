import { createHmac } from 'node:crypto';

/** Client secrets that are good now, the newest first. */
export type SigningSecrets = readonly [string, ...string[]];

const hmac = (secret: string, data: string): string => createHmac('sha256', secret).update(data).digest('hex');

/**
 * `X-Nylas-Signature` is the lower-case hex HMAC-SHA256 of the raw body with the newest client secret, as the SDKs of
 * this API family check it. `X-Postrider-Signature` (`t=<unix seconds>,v1=<hex>[,v1=<hex>]`) signs `<t>.<body>`, so that
 * what was overheard cannot be sent again later; while a secret is being rotated it bears a signature by each.
 */
export function signatureHeaders(body: string, secrets: SigningSecrets, seconds: number): Record<string, string> {
  const stamped = secrets.map((secret) => `v1=${hmac(secret, `${seconds}.${body}`)}`);
  return {
    'x-nylas-signature': hmac(secrets[0], body),
    'x-postrider-signature': [`t=${seconds}`, ...stamped].join(','),
  };
}

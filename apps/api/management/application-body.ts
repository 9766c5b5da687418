import { z } from 'zod';

import { InvalidRequest } from '#libs/common/errors.js';
import type { ApplicationChange } from '#libs/domain/applications/applications.service.js';
import type { OAuthClient } from '#libs/domain/applications/oauth-clients.js';
import { isRedirectUri, protocolOf } from '#libs/domain/applications/redirect-uri.js';

const MOST_URIS = 50;

/** Of the API; the last is the present one. */
export const API_VERSIONS = ['2.0', '2.1', '2.2', '2.3', '2.4', '2.5', '2.6', '2.7'] as const;

const word = (name: string, most: number) =>
  z
    .string(`"${name}" must be a text`)
    .trim()
    .min(1, `"${name}" must not be empty`)
    .max(most, `"${name}" is too long`)
    // oxlint-disable-next-line no-control-regex -- no name or address has them
    .regex(/^[^\u0000-\u001f\u007f]*$/, `"${name}" must not contain control characters`);

const webAddress = (name: string) =>
  word(name, 2000).refine((text) => /^https?:$/.test(protocolOf(text)), `"${name}" must be an http or https address`);

const Registration = (provider: string) => ({
  [`${provider}_client_id`]: word(`${provider}_client_id`, 300).nullable().optional(),
  [`${provider}_client_secret`]: word(`${provider}_client_secret`, 300).nullable().optional(),
});

/** Of `PUT /a/<client_id>`: what is left out stays. */
export const ApplicationBody = z.object({
  application_name: word('application_name', 100).optional(),
  icon_url: webAddress('icon_url').nullable().optional(),
  primary_color: z
    .string()
    .regex(/^#[0-9a-f]{6}$/i, '"primary_color" must be spelled #rrggbb')
    .nullable()
    .optional(),
  redirect_uris: z
    .array(word('redirect_uris', 2000).refine(isRedirectUri, { error: ({ input }) => badUri(input) }))
    .max(MOST_URIS, `"redirect_uris" may hold at most ${MOST_URIS}`)
    .optional(),
  api_version: z.enum(API_VERSIONS, `"api_version" must be one of ${API_VERSIONS.join(', ')}`).optional(),
  ...Registration('google'),
  ...Registration('microsoft'),
});
export type ApplicationBody = z.infer<typeof ApplicationBody>;

const badUri = (text: unknown): string =>
  `"redirect_uris": ${String(text).slice(0, 60)} is no absolute address without a fragment`;

/** @throws InvalidRequest for half of a registration */
export function applicationChange(body: ApplicationBody): ApplicationChange {
  const given = body as Readonly<Record<string, string | null | undefined>>;
  const clients = (['google', 'microsoft'] as const).flatMap((provider) => {
    const [id, secret] = [given[`${provider}_client_id`], given[`${provider}_client_secret`]];
    if (id === undefined && secret === undefined) return [];
    return [[provider, registration(provider, id ?? null, secret ?? null)] as const];
  });
  return {
    name: body.application_name,
    iconUrl: body.icon_url,
    primaryColor: body.primary_color,
    redirectUris: body.redirect_uris,
    apiVersion: body.api_version,
    oauthClients: Object.fromEntries(clients),
  };
}

function registration(provider: string, clientId: string | null, clientSecret: string | null): OAuthClient | null {
  if (clientId === null && clientSecret === null) return null;
  if (clientId !== null && clientSecret !== null) return { clientId, clientSecret };
  throw new InvalidRequest(`"${provider}_client_id" and "${provider}_client_secret" belong together`);
}

import { z } from 'zod';

import { unixSeconds } from '../accounts/account.view.js';

import type { Application } from './applications.service.js';
import type { OAuthProvider } from './oauth-clients.js';

const clientId = z.string().nullable().describe('As it is registered there; null when it is not set up');

export const ApplicationView = z
  .object({
    object: z.literal('application'),
    client_id: z.string(),
    application_name: z.string(),
    icon_url: z.string().nullable(),
    primary_color: z.string().nullable().describe('#rrggbb'),
    redirect_uris: z.array(z.string()),
    api_version: z.string().describe('Where a request names none'),
    google_client_id: clientId,
    microsoft_client_id: clientId,
    former_secret_until: z
      .int()
      .nullable()
      .describe('Unix seconds; the secret before the last change is taken so long'),
    created_at: z.int(),
  })
  .meta({ id: 'Application' });
export type ApplicationView = z.infer<typeof ApplicationView>;

export function toApplicationView(application: Application): ApplicationView {
  const registered = (provider: OAuthProvider) => application.oauthClients[provider]?.clientId ?? null;
  const until = application.formerSecretUntil;
  return {
    object: 'application',
    client_id: application.clientId,
    application_name: application.name,
    icon_url: application.iconUrl,
    primary_color: application.primaryColor,
    redirect_uris: [...application.redirectUris],
    api_version: application.apiVersion,
    google_client_id: registered('google'),
    microsoft_client_id: registered('microsoft'),
    former_secret_until: until && until > new Date() ? unixSeconds(until) : null,
    created_at: unixSeconds(application.createdAt),
  };
}

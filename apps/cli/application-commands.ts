import { type Application, GRACE_SECONDS, MOST_GRACE_SECONDS } from '#libs/domain/applications/applications.service.js';
import { isRedirectUri } from '#libs/domain/applications/redirect-uri.js';

import type { Context } from './context.js';
import { CommandError, say, type Terminal } from './terminal.js';

/** In seconds. */
const HOUR = 3600;

export const createAppOptions = {
  'redirect-uri': { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const;

export const rotateOptions = { 'grace-hours': { type: 'string' }, json: { type: 'boolean' } } as const;

export interface ApplicationFlags {
  readonly 'redirect-uri'?: readonly string[];
  readonly 'grace-hours'?: string;
  readonly json?: boolean;
}

export async function createApplication(
  { applications }: Context,
  terminal: Terminal,
  name: string,
  { json = false, 'redirect-uri': redirectUris }: ApplicationFlags,
): Promise<void> {
  const bad = redirectUris?.find((address) => !isRedirectUri(address));
  if (bad !== undefined) throw new CommandError(`--redirect-uri: ${bad} is no absolute address without a fragment`);
  const { application, clientSecret } = await applications.create(name);
  if (redirectUris) await applications.change(application.id, { redirectUris });
  tellSecret(terminal, application.clientId, clientSecret, json);
}

export async function listApplications({ applications }: Context, terminal: Terminal, json: boolean): Promise<void> {
  const all = await applications.list();
  if (json) return say(terminal, JSON.stringify(all.map(toJson)));
  for (const { clientId, name } of all) say(terminal, `${clientId}  ${name}`);
}

export async function rotateSecret(
  { applications }: Context,
  terminal: Terminal,
  clientId: string,
  { json = false, 'grace-hours': hours = String(GRACE_SECONDS / HOUR) }: ApplicationFlags,
): Promise<void> {
  const grace = hours.trim() === '' ? NaN : Number(hours) * HOUR;
  if (!(grace >= 0 && grace <= MOST_GRACE_SECONDS)) {
    throw new CommandError(`--grace-hours takes hours from 0 to ${MOST_GRACE_SECONDS / HOUR}`);
  }
  const application = await applications.byClientId(clientId);
  if (!application) throw new CommandError(`There is no application ${clientId}`);
  tellSecret(terminal, clientId, await applications.rotateSecret(application.id, grace), json);
}

function tellSecret(terminal: Terminal, clientId: string, clientSecret: string, json: boolean): void {
  if (json) return say(terminal, JSON.stringify({ client_id: clientId, client_secret: clientSecret }));
  say(terminal, `client_id      ${clientId}`);
  say(terminal, `client_secret  ${clientSecret}`);
  say(terminal, 'The secret is not shown again.');
}

const toJson = ({ clientId, name, redirectUris }: Application) => ({
  client_id: clientId,
  application_name: name,
  redirect_uris: redirectUris,
});

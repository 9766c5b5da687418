import type { SecretBox } from '#libs/common/secret-box.js';

export const oauthProviders = ['google', 'microsoft'] as const;
export type OAuthProvider = (typeof oauthProviders)[number];

/** What an application is registered as at a provider. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** As it is stored: the secret sealed. */
export interface StoredOAuthClient {
  readonly clientId: string;
  readonly sealed: string;
}

export type OAuthClients = Partial<Record<OAuthProvider, StoredOAuthClient>>;

export function sealOAuthClient(box: SecretBox, applicationId: string, client: OAuthClient): StoredOAuthClient {
  return { clientId: client.clientId, sealed: box.seal(client.clientSecret, applicationId) };
}

/** @throws SealError */
export function openOAuthClient(box: SecretBox, applicationId: string, stored: StoredOAuthClient): OAuthClient {
  return { clientId: stored.clientId, clientSecret: box.open(stored.sealed, applicationId) };
}

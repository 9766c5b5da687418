import { ProviderError } from '#libs/providers/contracts/provider-error.js';

import type { Meddling } from './acting-account.js';

/** The worker is gone at this point: nothing is caught, nothing is settled. */
export class Killed extends Error {}

export const killedAfter =
  (method: 'store' | 'move' | 'renameFolder' | 'createFolder' | 'deleteFolder'): Meddling =>
  (driver) => ({
    [method]: async (...args: never[]) => {
      await (driver[method] as (...given: never[]) => Promise<unknown>).apply(driver, args);
      throw new Killed(method);
    },
  });
export const refusing =
  (
    method: 'store' | 'move' | 'append' | 'remove' | 'createFolder' | 'renameFolder',
    kind: 'rejected' | 'forbidden' | 'folder-unavailable' = 'rejected',
  ): Meddling =>
  () => ({ [method]: () => Promise.reject(new ProviderError(kind, `The server will not ${method}.`)) });

const plain = 'IMAP4rev1 LITERAL+ IDLE NAMESPACE CHILDREN SPECIAL-USE ESEARCH';

/** Servers, by what they can do. */
export const servers = [
  ['everything', {}],
  ['no MOVE', { capabilities: `${plain} UIDPLUS ENABLE CONDSTORE` }],
  ['neither MOVE nor UIDPLUS nor CONDSTORE', { capabilities: plain }],
] as const;

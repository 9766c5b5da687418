import type { Deed } from './deed.js';
import { draftDeeds } from './draft-deeds.js';
import { laterDeeds } from './later-deeds.js';
import { mailDeeds } from './mail-deeds.js';
import { sendDeeds } from './send-deeds.js';

/** Every kind of write that the API has. */
export const deeds: readonly Deed[] = [...mailDeeds, ...draftDeeds, ...sendDeeds, ...laterDeeds];

import type { Context } from './context.js';
import { say, type Terminal } from './terminal.js';

/** `keys rotate`: what is sealed with another key than the first is sealed again. Everything keeps running meanwhile. */
export async function rotateKeys({ sealing }: Context, terminal: Terminal): Promise<void> {
  const { renewed, kept } = await sealing.renew();
  say(terminal, `${renewed} secrets were sealed again; ${kept} were sealed with the first key already.`);
}

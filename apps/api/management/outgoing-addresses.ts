import { networkInterfaces } from 'node:os';

import { Inject, Injectable } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import { unixSeconds } from '#libs/domain/accounts/account.view.js';

export const OutgoingAddressesView = z
  .object({ ip_addresses: z.array(z.string()), updated_at: z.int() })
  .meta({ id: 'IpAddresses' });
export type OutgoingAddressesView = z.infer<typeof OutgoingAddressesView>;

/**
 * What the owner of a firewall has to let in. Behind NAT the machine does not know the address others see, so the
 * operator says it (`OUTGOING_ADDRESSES`); otherwise those of its interfaces that are not private.
 */
@Injectable()
export class OutgoingAddresses {
  private readonly since = new Date();

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  list(): OutgoingAddressesView {
    const given = this.config.OUTGOING_ADDRESSES;
    return { ip_addresses: given.length > 0 ? [...given] : ownAddresses(), updated_at: unixSeconds(this.since) };
  }
}

function ownAddresses(): string[] {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return found.map(({ address }) => address).filter((address) => ipaddr.process(address).range() === 'unicast');
}

import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import net, { type LookupFunction } from 'node:net';

import ipaddr from 'ipaddr.js';

import { InvalidRequest } from './errors.js';

export interface EgressOptions {
  /** Lets connections reach loopback and private networks: installations on a closed network, tests. */
  readonly allowPrivate: boolean;
  /** How names become addresses. Left out: the system's resolver. */
  readonly lookup?: (host: string) => Promise<LookupAddress[]>;
}

/** The host is, or resolves only to, an address we must not connect to. */
export class EgressRefused extends InvalidRequest {
  constructor(host: string, setting: string, isPrivate: boolean) {
    const cure = isPrivate ? ' (to allow it, start with EGRESS_ALLOW_PRIVATE=true)' : '';
    super(`${setting}: connections to ${host} are refused, because it is not a public address${cure}`);
  }
}

/** Kinds of addresses (as ipaddr.js names them) that `allowPrivate` lets through. */
const PRIVATE_RANGES = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);
/** A cloud's metadata service on an otherwise public address. The others lie in link-local or private ranges. */
const METADATA_ADDRESSES = new Set(['168.63.129.16']);

/**
 * Stands between us and hosts that callers name: mail servers, autoconfig sites, webhooks. Names are resolved here and
 * the connection is made to an address that was checked, so a name cannot change its mind in between.
 */
export class EgressGuard {
  private readonly addressesOf: (host: string) => Promise<LookupAddress[]>;

  constructor(private readonly options: EgressOptions) {
    this.addressesOf = options.lookup ?? resolveBySystem;
  }

  /**
   * The addresses of `host` that may be connected to; never empty.
   * @param setting what the caller knows the host as, for the message
   * @throws EgressRefused (400); or the resolver's own error (`ENOTFOUND`, `EAI_AGAIN`) when the name has no address
   */
  async resolve(host: string, setting = 'host'): Promise<LookupAddress[]> {
    const addresses = await this.addressesOf(host.replace(/^\[|\]$/g, ''));
    const allowed = addresses.filter(({ address }) => isAllowedAddress(address, this.options.allowPrivate));
    if (allowed.length === 0) throw new EgressRefused(host, setting, addresses.some(isPrivate));
    return allowed;
  }

  /** For `net.connect` and everything built on it. Literal addresses do not pass through a lookup: ask `refusalOf`. */
  get lookup(): LookupFunction {
    return (host, options, done) => {
      this.resolve(host).then(
        (found) => {
          const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : options.family;
          const fitting = family ? found.filter((entry) => entry.family === family) : found;
          if (options.all) done(null, fitting);
          else if (fitting[0]) done(null, fitting[0].address, fitting[0].family);
          else done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '');
        },
        (error: NodeJS.ErrnoException) => done(error, ''),
      );
    };
  }

  /**
   * Opens a plain connection to a checked address of `host`, trying its addresses in turn.
   * @throws EgressRefused, or the system's error; `ETIMEDOUT` after `timeoutMs`
   */
  async connect(host: string, port: number, timeoutMs: number, setting = 'host'): Promise<net.Socket> {
    const found = await this.resolve(host, setting);
    return new Promise((resolve, reject) => {
      const lookup: LookupFunction = (_host, _options, done) => done(null, found);
      const socket = net.connect({ host: 'checked.invalid', port, lookup, autoSelectFamily: true });
      const fail = (error: Error) => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(
        () => fail(Object.assign(new Error(`connect ETIMEDOUT ${host}:${port}`), { code: 'ETIMEDOUT' })),
        timeoutMs,
      );
      socket.once('error', fail);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('error', fail);
        resolve(socket);
      });
    });
  }

  /** Why a literal address may not be connected to; null when it may, and for names. For what connects by `lookup`. */
  refusalOf(host: string, setting: string): EgressRefused | null {
    const address = host.replace(/^\[|\]$/g, '');
    if (net.isIP(address) === 0 || isAllowedAddress(address, this.options.allowPrivate)) return null;
    return new EgressRefused(address, setting, isAllowedAddress(address, true));
  }
}

/** Whether an IP address may be connected to. IPv4 inside IPv6 (mapped, NAT64) is judged as the IPv4 address. */
export function isAllowedAddress(address: string, allowPrivate: boolean): boolean {
  const literal = address.split('%', 1)[0]!;
  if (!ipaddr.isValid(literal)) return false;
  const parsed = ipaddr.process(literal);
  if (METADATA_ADDRESSES.has(parsed.toString())) return false;
  const range = parsed.range();
  if (range === 'rfc6052') {
    return isAllowedAddress(ipaddr.fromByteArray(parsed.toByteArray().slice(12)).toString(), allowPrivate);
  }
  return range === 'unicast' || (allowPrivate && PRIVATE_RANGES.has(range));
}

/** Refused only for as long as private addresses are. */
const isPrivate = ({ address }: LookupAddress) => isAllowedAddress(address, true);

function resolveBySystem(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true, verbatim: true }, (error, addresses) =>
      error ? reject(error) : resolve(addresses),
    );
  });
}

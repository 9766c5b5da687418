import type { Config } from './config.js';

/** Where this machine reaches the API. An address that means "all interfaces" is no place to connect to. */
export function apiUrl({ HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): string {
  const host = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT}`;
}

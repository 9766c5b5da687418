import { z } from 'zod';

import { DomainError } from '#libs/common/errors.js';

import { SCOPES } from '../http/auth/scopes.js';

/** A setting as clients spell it: text, number or boolean, in JSON or in a form. */
const scalar = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((value) => String(value).trim())
  .refine((text) => !text.includes('\0'));
const optional = z.preprocess((value) => (value === null || value === '' ? undefined : value), scalar.optional());

export type ProviderSettings = Readonly<Record<string, string>>;

const Settings = z.preprocess(
  (value) => (typeof value === 'string' ? jsonOf(value) : (value ?? {})),
  z.record(z.string(), z.unknown()).transform((entries): ProviderSettings => {
    const known = Object.entries(entries).flatMap(([key, value]): [string, string][] => {
      const { data } = optional.safeParse(value);
      return data === undefined ? [] : [[key, data]];
    });
    return Object.fromEntries(known);
  }),
);

/** A list, or its entries strung together with commas or spaces. What is none of ours is left out. */
const Scopes = z
  .union([z.array(z.string()), z.string()])
  .nullish()
  .transform((given, context) => {
    const asked = (typeof given === 'string' ? given.split(/[\s,]+/) : (given ?? [])).filter((scope) => scope !== '');
    const known = SCOPES.filter((scope) => asked.includes(scope));
    if (asked.length > 0 && known.length === 0) context.addIssue('none of them is known');
    return known;
  });

export const AuthorizeRequest = z
  .object({
    client_id: optional,
    name: optional,
    email_address: optional,
    email: optional,
    provider: optional,
    settings: Settings,
    reauth_account_id: optional,
    scopes: Scopes,
  })
  .transform(({ email, ...request }) => ({ ...request, email_address: request.email_address ?? email }));

export const TokenRequest = z.object({ client_id: optional, client_secret: optional, code: optional });

type Present<T, K extends keyof T> = T & { readonly [P in K]-?: NonNullable<T[P]> };

/**
 * Parameters from wherever a client put them; the body counts more than the query.
 * @throws DomainError 400 with `missing_fields`
 */
export function readRequest<S extends z.ZodType, K extends keyof z.output<S> & string>(
  schema: S,
  query: unknown,
  body: unknown,
  required: readonly K[],
): Present<z.output<S>, K> {
  const merged = unfold({ ...objectOf(query), ...objectOf(body) });
  const { data, error } = schema.safeParse(merged);
  if (error)
    throw new DomainError(400, 'api_error', `Invalid value for ${error.issues[0]?.path.join('.') ?? 'a parameter'}`);
  const missing = required.filter((key) => (data as Partial<Record<K, unknown>>)[key] === undefined);
  if (missing.length > 0) throw missingFields(missing);
  return data as Present<z.output<S>, K>;
}

export function missingFields(fields: readonly string[]): DomainError {
  return new DomainError(400, 'api_error', `Missing fields: ${fields.join(', ')}`, { missing_fields: fields });
}

/** Forms spell `settings[imap_host]=…`. */
function unfold(flat: Record<string, unknown>): Record<string, unknown> {
  const inner = Object.entries(flat).flatMap(([key, value]): [string, unknown][] => {
    const name = /^settings\[(\w+)\]$/.exec(key)?.[1];
    return name === undefined ? [] : [[name, value]];
  });
  return inner.length > 0 ? { ...flat, settings: Object.fromEntries(inner) } : flat;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * The token in an Authorization header. Of Basic only the user part counts: clients send `token:`, `token:None` and
 * other passwords.
 *
 * @returns null when there is no usable token.
 */
export function credentialOf(header: string | undefined): string | null {
  if (header === undefined) return null;
  const [, scheme = '', value = ''] = /^\s*(basic|bearer)\s+(\S+)\s*$/i.exec(header) ?? [];
  if (value === '') return null;
  if (scheme.toLowerCase() === 'bearer') return value;
  const [user = ''] = Buffer.from(value, 'base64').toString('utf8').split(':', 1);
  return user === '' ? null : user;
}

import { InvalidRequest } from '#libs/common/errors.js';

import { objectOf } from './mail-update.js';

const MOST_CHARACTERS = 191;

/** `display_name` of a folder; some clients send it as `name` too. @throws InvalidRequest */
export function readDisplayName(body: unknown): string {
  const { display_name: displayName, name } = objectOf(body);
  const given = displayName ?? name;
  // oxlint-disable-next-line no-control-regex -- they would break the protocol behind
  if (typeof given !== 'string' || given.trim() === '' || /[\u0000-\u001f\u007f]/.test(given)) {
    throw new InvalidRequest('"display_name" must be a valid string');
  }
  if (given.length > MOST_CHARACTERS) throw new InvalidRequest('"display_name" is too long');
  return given.trim().normalize('NFC');
}

/** `name` of a tag. @param malformed what to answer when there is none */
export function readTagName(body: unknown, malformed: string, namespaceId: string): string {
  const { name, namespace_id: namespace } = objectOf(body);
  if (namespace !== undefined && namespace !== namespaceId) {
    throw new InvalidRequest('Cannot change the namespace on a tag.');
  }
  if (typeof name !== 'string' || name.trim() === '' || name.includes('\0')) throw new InvalidRequest(malformed);
  return name.trim();
}

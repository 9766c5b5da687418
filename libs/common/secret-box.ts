import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export interface SecretKey {
  /** Short name, stored beside every text sealed with the key. Never reuse one for another key. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** A sealed text cannot be opened. The message says what to do about it and holds no secret. */
export class SealError extends Error {}

const FORMAT = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals secrets before they reach the database or Redis (AES-256-GCM). The first key of the ring seals, all of them
 * open; to change keys put a new one in front, and what is sealed again moves over to it.
 */
export class SecretBox {
  private readonly current: SecretKey;

  constructor(private readonly keys: readonly SecretKey[]) {
    const [first] = keys;
    if (!first) throw new SealError('SECRET_KEYS holds no key');
    if (new Set(keys.map((key) => key.id)).size < keys.length) {
      throw new SealError('SECRET_KEYS names two keys alike');
    }
    this.current = first;
  }

  /**
   * @param binding who the secret belongs to, e.g. the account id: needed again to open it, so a sealed text that was
   *   copied to another account's row stays shut.
   */
  seal(plain: string, binding: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.current.key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(binding));
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return [FORMAT, this.current.id, iv.toString('base64url'), sealed.toString('base64url')].join('.');
  }

  /** @throws SealError when the key is not in the ring, the binding is another one, or the text was tampered with. */
  open(sealed: string, binding: string): string {
    const { keyId, iv, body } = parse(sealed);
    const key = this.keys.find((candidate) => candidate.id === keyId);
    if (!key) throw new SealError(`A stored secret is sealed with key "${keyId}", which SECRET_KEYS no longer holds`);
    const decipher = createDecipheriv('aes-256-gcm', key.key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(binding));
    decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
    try {
      return decipher.update(body.subarray(0, body.length - TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch (cause) {
      throw new SealError(
        `A stored secret cannot be opened: key "${keyId}" in SECRET_KEYS is not the one it was sealed with, or it was changed`,
        { cause },
      );
    }
  }

  /** Whether the text was sealed with the first key; if not, sealing it again completes a change of keys. */
  isCurrent(sealed: string): boolean {
    return parse(sealed).keyId === this.current.id;
  }
}

function parse(sealed: string): { keyId: string; iv: Buffer; body: Buffer } {
  const [format, keyId, ivText, bodyText, ...rest] = sealed.split('.');
  const iv = Buffer.from(ivText ?? '', 'base64url');
  const body = Buffer.from(bodyText ?? '', 'base64url');
  if (format !== FORMAT || !keyId || iv.length !== IV_BYTES || body.length < TAG_BYTES || rest.length > 0) {
    throw new SealError('A stored secret is not in a form this version knows');
  }
  return { keyId, iv, body };
}

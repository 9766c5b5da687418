import { signatureHeaders } from './signature.js';

describe('signatureHeaders', () => {
  it('are hex HMAC-SHA256 of the body, and of the stamped body by each secret', () => {
    // openssl dgst -sha256 -hmac key
    expect(signatureHeaders('The quick brown fox jumps over the lazy dog', ['key'], 7)['x-nylas-signature']).toBe(
      'f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8',
    );
    const [one, both] = [['new'], ['new', 'old']].map(
      (secrets) => signatureHeaders('{}', secrets as [string], 7)['x-postrider-signature']!,
    );
    expect(one).toMatch(/^t=7,v1=[0-9a-f]{64}$/);
    expect(both).toMatch(/^t=7,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
    expect(both!.startsWith(one!)).toBe(true);
  });
});

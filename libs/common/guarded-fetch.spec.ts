import { EgressGuard, EgressRefused } from './egress-guard.js';
import { fetchText } from './guarded-fetch.js';

describe('fetchText', () => {
  const limits = { timeoutMs: 2000, maxBytes: 1000 };
  const guard = new EgressGuard({ allowPrivate: false, lookup: async () => [{ address: '10.0.0.1', family: 4 }] });

  it('speaks https only', async () => {
    await expect(fetchText(guard, 'http://example.com/', limits)).rejects.toThrow('not https');
  });

  it.each(['https://127.0.0.1/', 'https://[::1]/', 'https://inside.example.com/'])('never reaches %s', async (url) => {
    await expect(fetchText(guard, url, limits)).rejects.toThrow(EgressRefused);
  });
});

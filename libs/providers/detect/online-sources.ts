import { Resolver } from 'node:dns/promises';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import type { EgressGuard } from '#libs/common/egress-guard.js';
import { fetchText } from '#libs/common/guarded-fetch.js';

import { parseAutoconfig } from './autoconfig-xml.js';
import type { DetectionSources } from './detect-provider.js';

const TIMEOUT_MS = 5000;
const MAX_BYTES = 262_144;

/** The real sources: DNS, the web through the egress guard, and a folder of ISPDB files when the operator has one. */
export function onlineSources(guard: EgressGuard, ispdbDir: string | undefined): DetectionSources {
  const resolver = new Resolver({ timeout: TIMEOUT_MS / 2, tries: 2 });
  return {
    async mx(domain) {
      const records = await resolver.resolveMx(domain);
      return records.toSorted((a, b) => a.priority - b.priority).map((record) => record.exchange);
    },
    srv: (name) => resolver.resolveSrv(name),
    fetch: (url) => fetchText(guard, url, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }),
    localEntry: (domain) => (ispdbDir ? entryIn(ispdbDir, domain) : Promise.resolve(null)),
  };
}

/** ISPDB files are named after their main domain; the other domains stand inside. */
async function entryIn(dir: string, domain: string): Promise<string | null> {
  const names = await readdir(dir);
  const likely = [domain, `${domain}.xml`].filter((name) => names.includes(name));
  for (const name of [...likely, ...names.filter((other) => !likely.includes(other))]) {
    const text = await readFile(path.join(dir, name), 'utf8').catch(() => '');
    if (!text.includes(domain)) continue;
    if (parseAutoconfig(text, `x@${domain}`)?.domains.includes(domain)) return text;
  }
  return null;
}

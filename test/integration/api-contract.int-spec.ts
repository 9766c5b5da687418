import fs from 'node:fs';
import path from 'node:path';

import type { OpenAPIObject } from '@nestjs/swagger';
import type { Express } from 'express';

import { openApiDocument } from '../../apps/api/http/openapi.js';
import { type ApiEnv, startApiEnv } from '../support/api-env.js';
import type { SeededAccount } from '../support/seed.js';

const ROOT = path.resolve(__dirname, '../..');
const ROUTES = path.join(ROOT, 'test/fixtures/api-routes.txt');
const OPENAPI = path.join(ROOT, 'openapi.json');

/** UPDATE_GOLDEN=1 writes the two files instead of comparing with them. */
function golden(file: string, actual: string): void {
  if (process.env.UPDATE_GOLDEN) fs.writeFileSync(file, actual);
  expect(actual).toBe(fs.readFileSync(file, 'utf8'));
}

describe('the contract', () => {
  let env: ApiEnv;
  let document: OpenAPIObject;
  let account: SeededAccount;
  let useless: string;

  beforeAll(async () => {
    env = await startApiEnv();
    document = openApiDocument(env.api.app);
    account = await env.seed.account();
    useless = await env.seed.token(account.id, ['room_resources.read_only']);
  });
  afterAll(() => env.stop());

  /** By what a request without credentials is told, and one with a token that is good for nothing here. */
  async function callerOf(method: string, route: string): Promise<string> {
    const path = route.replace(':namespaceId', account.id).replaceAll(/:\w+/g, '0');
    const refusal = (await env.client.send(path, { method })).text;
    if (refusal.includes('Unknown client_id or wrong client_secret')) return 'client secret';
    if (!refusal.includes('Could not verify access credential.')) return 'public';
    const { status, text } = await env.client.as(useless).send(path, { method });
    const scopes = status === 403 ? /needs one of ([\w., ]+)/.exec(text)?.[1] : 'any';
    return `account token: ${scopes ?? text}`;
  }

  it('every route declares who may call it, and the table is as agreed', async () => {
    const table = await Promise.all(
      routesOf(env).map(async ({ method, path: route }) => {
        return `${method.padEnd(7)}${route.padEnd(46)}${await callerOf(method, route)}`;
      }),
    );
    golden(ROUTES, `${table.join('\n')}\n`);
  });

  it('openapi.json is what the code says', () => {
    golden(OPENAPI, `${JSON.stringify(document, null, 2)}\n`);
  });

  it('every operation has an id of its own and a response schema', () => {
    const operations = Object.entries(document.paths).flatMap(([route, item]) =>
      Object.entries(item).map(([method, operation]) => ({ route, method, operation: operation as Operation })),
    );
    expect(operations.length).toBeGreaterThan(20);
    for (const { route, method, operation } of operations) {
      const ok = operation.responses['200'] ?? operation.responses['201'];
      const schema = Object.values(ok?.content ?? {})[0]?.schema;
      expect({
        route,
        method,
        id: operation.operationId,
        documented: schema !== undefined || ok?.content === undefined,
      }).toEqual({ route, method, id: expect.stringMatching(/^[a-z]\w+$/i), documented: true });
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('serves the same document', async () => {
    expect(await env.client.ok('/openapi.json')).toEqual(JSON.parse(JSON.stringify(document)));
  });
});

interface Operation {
  readonly operationId?: string;
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema?: unknown }> } | undefined>>;
}

function routesOf(env: ApiEnv): { method: string; path: string }[] {
  const express = env.api.app.getHttpAdapter().getInstance() as Express;
  const routes = express.router.stack.flatMap(({ route }) =>
    route
      ? Object.keys((route as unknown as { methods: object }).methods).map((method) => ({
          method: method.toUpperCase(),
          path: route.path,
        }))
      : [],
  );
  return routes
    .filter(({ path: route }) => !/^\/(docs|openapi)/.test(route))
    .toSorted((a, b) => (a.path === b.path ? (a.method < b.method ? -1 : 1) : a.path < b.path ? -1 : 1));
}

import type { Servers } from '../product.js';

import type { LiveAccount } from './accounts.js';

/** The API as a client of one account sees it. */
export class LiveApi {
  constructor(
    private readonly servers: Servers,
    readonly account: LiveAccount,
  ) {}

  get<Body>(url: string): Promise<Body> {
    return this.ask<Body>(url, {});
  }

  put<Body>(url: string, body: object): Promise<Body> {
    return this.ask<Body>(url, { method: 'PUT', body: JSON.stringify(body) });
  }

  post<Body>(url: string, body: object): Promise<Body> {
    return this.ask<Body>(url, { method: 'POST', body: JSON.stringify(body) });
  }

  /** @throws Error when the answer is not a 200 */
  async ask<Body>(url: string, request: RequestInit): Promise<Body> {
    const headers = new Headers(request.headers);
    headers.set('authorization', `Bearer ${this.account.token}`);
    if (typeof request.body === 'string') headers.set('content-type', 'application/json');
    const answer = await fetch(`http://127.0.0.1:${this.servers.environment.PORT}${url}`, { ...request, headers });
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Body;
  }
}

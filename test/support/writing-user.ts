import type { ApiAnswer, ApiClient } from './api-client.js';
import type { ApiEnv } from './api-env.js';
import type { SeededAccount } from './seed.js';

const FOLDERS = {
  INBOX: 'inbox',
  Archive: 'archive',
  Junk: 'spam',
  Trash: 'trash',
  Sent: 'sent',
  Drafts: 'drafts',
  'Taxes/2024': null,
};

export interface ThreadJson {
  readonly id: string;
  readonly version: number;
  readonly unread: boolean;
  readonly starred: boolean;
  readonly tags: readonly { readonly id: string; readonly name: string }[];
}
export interface JobJson {
  readonly id: string;
  readonly action: string;
  readonly object: string;
  readonly message_id?: string;
  readonly folder_id?: string;
  readonly status: string;
}

/** An id that nothing has. */
export const NOBODY = 'abcdefghijklmnopqrstuvwxy';

/** Answered 200. @returns the body */
export async function ok<Body>(answer: Promise<ApiAnswer>): Promise<Body> {
  const { status, text, json } = await answer;
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
  return json as Body;
}

export async function refused(answer: Promise<ApiAnswer>, status: number, message: string): Promise<void> {
  const { status: given, json } = await answer;
  expect([given, json]).toEqual([status, expect.objectContaining({ message, type: 'invalid_request_error' })]);
}

/** Somebody who changes things through the API, in an account that no worker serves. */
export class WritingUser {
  /** The prefix of API v1. */
  readonly v1: string;

  private constructor(
    private readonly env: ApiEnv,
    readonly account: SeededAccount,
    readonly api: ApiClient,
  ) {
    this.v1 = `/n/${account.id}`;
  }

  static async of(env: ApiEnv, folders: Readonly<Record<string, string | null>> = FOLDERS): Promise<WritingUser> {
    const account = await env.seed.account({ folders });
    return new WritingUser(env, account, env.client.as(account.token));
  }

  send(method: string, path: string, body: unknown): Promise<ApiAnswer> {
    const headers = { 'content-type': 'application/json' };
    return this.api.send(path, { method, headers, body: JSON.stringify(body) });
  }

  put(path: string, body: unknown): Promise<ApiAnswer> {
    return this.send('PUT', path, body);
  }

  thread(id: string): Promise<ThreadJson> {
    return this.api.ok<ThreadJson>(`${this.v1}/threads/${id}`);
  }

  async tagsOf(threadId: string): Promise<string[]> {
    return (await this.thread(threadId)).tags.map((tag) => tag.id).toSorted();
  }

  tag(threadId: string, body: object): Promise<ThreadJson> {
    return ok<ThreadJson>(this.put(`${this.v1}/threads/${threadId}`, body));
  }

  jobs(): Promise<JobJson[]> {
    return this.api.ok<JobJson[]>('/job-statuses');
  }

  message(...folders: string[]): Promise<{ id: string; threadId: string }> {
    return this.env.seed.message(this.account, { folders });
  }

  /** What `work` makes followers of the change log see, sorted. */
  async told(work: () => Promise<unknown>): Promise<string[]> {
    const cursor = await this.api.latestCursor();
    await work();
    const pages = await Promise.all(
      [`${this.v1}/delta?cursor=${cursor}&exclude_types=folder`, `/delta?cursor=${cursor}&include_types=folder`].map(
        (path) => this.api.ok<{ deltas: { object: string; event: string }[] }>(path),
      ),
    );
    return pages.flatMap(({ deltas }) => deltas.map(({ object, event }) => `${event} ${object}`)).toSorted();
  }
}

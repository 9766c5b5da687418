import type { DeltaPage } from '#libs/domain/deltas/deltas.service.js';

/** How deltas are written on an open connection. */
export interface Wire {
  readonly contentType: string;
  /** Written every second that nothing else is, so that both ends and all proxies know the connection lives. */
  readonly beat: string;
  readonly opening: string;
  page(page: DeltaPage): string;
  /** Written last when the time is up. */
  readonly closing: string;
  /** Ends with the first page that tells something. */
  readonly once: boolean;
}

/** One JSON object a line. Clients of this API family know it under a type that promises something else. */
export const lines: Wire = {
  contentType: 'text/event-stream',
  beat: '\n',
  opening: '',
  page: ({ deltas }) => deltas.map(({ text }) => `${text}\n`).join(''),
  closing: '',
  once: false,
};

const RETRY_MS = 1000;

/**
 * Server-Sent Events (WHATWG HTML 9.2). The opening names the cursor without being an event: a client that reconnects
 * before it saw one goes on from there all the same.
 */
export const eventSource = (cursor: string): Wire => ({
  contentType: 'text/event-stream',
  beat: ':\n\n',
  opening: `retry: ${RETRY_MS}\nid: ${cursor}\n\n`,
  page: ({ deltas }) => deltas.map((delta) => `id: ${delta.cursor}\ndata: ${delta.text}\n\n`).join(''),
  closing: '',
  once: false,
});

/** One envelope as `GET /delta` answers it, after as many line ends as the wait took seconds: JSON does not mind them. */
export const longpoll = (envelope: (page: DeltaPage | null) => string): Wire => ({
  contentType: 'application/json',
  beat: '\n',
  opening: '',
  page: envelope,
  closing: envelope(null),
  once: true,
});

import { createInterface } from 'node:readline/promises';
import { type Readable, Writable } from 'node:stream';

/** Where a command reads and writes; tests bring their own. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean };
}

/** A mistake in how the command was called, or something it cannot do; the message is one line for people. */
export class CommandError extends Error {}

export function say(terminal: Terminal, line: string): void {
  terminal.output.write(`${line}\n`);
}

export const isInteractive = (terminal: Terminal): boolean => Boolean(terminal.input.isTTY && terminal.output.isTTY);

export async function ask(terminal: Terminal, question: string, fallback = ''): Promise<string> {
  const lines = createInterface({ input: terminal.input, output: terminal.output });
  try {
    const answer = await lines.question(fallback ? `${question} [${fallback}]: ` : `${question}: `);
    return answer.trim() || fallback;
  } finally {
    lines.close();
  }
}

/** Asks without showing what is typed. */
export async function askHidden(terminal: Terminal, question: string): Promise<string> {
  terminal.output.write(`${question}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: terminal.input, output: nowhere, terminal: true });
  try {
    return await lines.question('');
  } finally {
    lines.close();
    terminal.output.write('\n');
  }
}

/** The first line of standard input, without its line end. */
export async function firstLine(terminal: Terminal): Promise<string> {
  return (await everything(terminal)).split(/\r?\n/, 1)[0] ?? '';
}

export async function everything(terminal: Terminal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of terminal.input) chunks.push(Buffer.from(chunk as Buffer | string));
  return Buffer.concat(chunks).toString('utf8');
}

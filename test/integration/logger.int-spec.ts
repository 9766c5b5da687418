import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const LOGGER = path.resolve(__dirname, '../../dist/libs/common/logger.js');

/** Without end is longer. */
const ENDS_MS = 30_000;

/** Logs without end on a pipe, says so on its standard output, and ends in order when told to. */
const PROGRAM = `
import { createLogger } from ${JSON.stringify(LOGGER)};
const logger = createLogger('test', 'info');
const timer = setInterval(() => { for (let n = 0; n < 50; n += 1) logger.info({ n }, 'x'.repeat(500)); }, 1);
process.stdin.once('data', () => setTimeout(() => { clearInterval(timer); process.exit(0); }, 300));
process.stdout.write('ready');
`;

describe('the logger on a pipe', () => {
  async function ended(silence: (stderr: NodeJS.ReadableStream & { destroy(): void }) => void): Promise<unknown> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], { stdio: 'pipe' });
    try {
      child.stderr.resume();
      await once(child.stdout, 'data');
      await once(child.stderr, 'data');
      silence(child.stderr);
      // Lines keep coming for a while that nobody takes.
      const exit = once(child, 'exit', { signal: AbortSignal.timeout(ENDS_MS) });
      child.stdin.write('end');
      const [code] = (await exit) as [number | null];
      return code;
    } finally {
      child.kill('SIGKILL');
      child.stderr.destroy();
    }
  }

  it('lets the process end when its reader has died', async () => {
    expect(await ended((stderr) => stderr.destroy())).toBe(0);
  });

  it('writes everything, the last line too', async () => {
    const program = `
      import { createLogger } from ${JSON.stringify(LOGGER)};
      const logger = createLogger('test', 'info');
      for (let n = 1; n <= 5000; n += 1) logger.info({ n }, 'x'.repeat(500));
      setImmediate(() => { logger.info({ n: 5001 }); process.exit(0); });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines = (await text(child.stderr)).trim().split('\n');
    const numbers = lines.map((line) => (JSON.parse(line) as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 5001 }, (_, n) => n + 1));
  });

  it('lets the process end when its reader dies at its last breath', async () => {
    const program = `
      import { createLogger } from ${JSON.stringify(LOGGER)};
      const logger = createLogger('test', 'info');
      process.stdin.once('data', () => { logger.info('last words'); process.exit(0); });
      process.stdout.write('ready');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' });
    try {
      await once(child.stdout, 'data');
      child.stderr.destroy();
      const exit = once(child, 'exit', { signal: AbortSignal.timeout(ENDS_MS) });
      child.stdin.write('end');
      expect(await exit).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('lets the process end when its reader reads no more', async () => {
    expect(await ended((stderr) => stderr.pause())).toBe(0);
  });
});

describe('a line about an error', () => {
  it.each(['logger.warn({ err: error }, "refused")', 'logger.warn({ error }, "refused")', 'logger.warn(error)'])(
    'says nothing of what a driver hung on it: %s',
    async (line) => {
      const program = `
        import { createLogger } from ${JSON.stringify(LOGGER)};
        const logger = createLogger('test', 'info');
        const error = Object.assign(new Error('refused'), { command: { name: 'auth', args: ['hunter2'] } });
        ${line};
      `;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'pipe' });
      const written = await text(child.stderr);
      expect(written).toContain('refused');
      expect(written).not.toContain('hunter2');
    },
  );
});

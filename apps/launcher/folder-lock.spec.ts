import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { FolderInUse, lockFolder } from './folder-lock.js';

describe('lockFolder', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lock-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it('admits one holder at a time and names it to the others', () => {
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(FolderInUse);
    expect(() => lockFolder(folder)).toThrow(`already running, pid ${process.pid}`);
    lock.release();
    lockFolder(folder).release();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('takes over from a holder that died', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    fs.writeFileSync(path.join(folder, '.lock'), `${child.pid} long-ago`);

    const lock = lockFolder(folder);

    expect(lock.inherited).toBe(true);
    expect(() => lockFolder(folder)).toThrow(FolderInUse);
  });

  it('is not fooled by a new process with the number of the dead one', () => {
    fs.writeFileSync(path.join(folder, '.lock'), `${process.pid} started-before-the-reboot`);
    expect(lockFolder(folder).inherited).toBe(true);
  });

  it('does not let go of a lock that is no longer ours', () => {
    const lock = lockFolder(folder);
    fs.writeFileSync(lock.file, '1 somebody-else');
    lock.release();
    expect(fs.readFileSync(lock.file, 'utf8')).toBe('1 somebody-else');
  });
});

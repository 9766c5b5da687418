import { readdirSync, readFileSync } from 'node:fs';

/** What a process and its descendants have used so far (Linux: /proc). */
export interface Usage {
  readonly cpuSeconds: number;
  /** Largest resident size each process ever had, added up. */
  readonly peakMegabytes: number;
}

const TICKS_A_SECOND = 100;

/** What a process, without its descendants, has in memory at the moment, in kilobytes (Linux: /proc). */
export function residentKilobytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

interface Stat {
  readonly parent: number;
  /** Own time and that of ended children, in ticks. */
  readonly ticks: number;
}

/** Threads count as part of their process; children that have ended count through the parent that waited for them. */
export function usageOf(pid: number): Usage {
  const stats = allProcesses();
  let ticks = 0;
  let kilobytes = 0;
  for (const member of familyOf(pid, stats)) {
    ticks += stats.get(member)?.ticks ?? 0;
    kilobytes += peakOf(member);
  }
  return { cpuSeconds: ticks / TICKS_A_SECOND, peakMegabytes: kilobytes / 1024 };
}

function allProcesses(): Map<number, Stat> {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = read(`/proc/${name}/stat`);
    // The command name, in parentheses, may hold spaces; fields are counted from its end (proc(5)).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    stats.set(Number(name), { parent: Number(fields[1]), ticks });
  }
  return stats;
}

function familyOf(pid: number, stats: ReadonlyMap<number, Stat>): number[] {
  const family = [pid];
  for (const member of family) {
    for (const [child, { parent }] of stats) if (parent === member) family.push(child);
  }
  return family;
}

function peakOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** A process may end between being listed and being read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

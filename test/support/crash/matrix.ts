import type { CaseResult } from './wave.js';

interface Cell {
  runs: number;
  faults: number;
}

/** Point by deed: how often the worker died there, and how often something was wrong afterwards. */
export class CrashMatrix {
  private readonly cells = new Map<string, Map<string, Cell>>();
  private readonly deeds = new Set<string>();

  add({ case: { deed, point }, reached, faults }: CaseResult): void {
    if (point === null || (!reached && faults.length === 0)) return;
    this.deeds.add(deed.name);
    const row = this.cells.get(point) ?? new Map<string, Cell>();
    this.cells.set(point, row);
    const cell = row.get(deed.name) ?? { runs: 0, faults: 0 };
    row.set(deed.name, { runs: cell.runs + 1, faults: cell.faults + (faults.length > 0 ? 1 : 0) });
  }

  get points(): number {
    return this.cells.size;
  }

  get sum(): string {
    const cells = [...this.cells.values()].flatMap((row) => [...row.values()]);
    const [runs, faults] = [total(cells.map((cell) => cell.runs)), total(cells.map((cell) => cell.faults))];
    return `${runs} deaths at ${this.points} points (${cells.length} with their deeds), ${faults} with faults`;
  }

  /** One line for each point, a column for each deed: runs, or faults of runs. */
  lines(): string[] {
    const deeds = [...this.deeds].toSorted();
    const points = [...this.cells.keys()].toSorted();
    const spell = (cell: Cell | undefined) =>
      !cell ? '' : cell.faults ? `${cell.faults} of ${cell.runs}` : `${cell.runs}`;
    return [
      `| point | ${deeds.join(' | ')} |`,
      `|---|${deeds.map(() => '---:|').join('')}`,
      ...points.map(
        (point) => `| ${point} | ${deeds.map((deed) => spell(this.cells.get(point)?.get(deed))).join(' | ')} |`,
      ),
    ];
  }
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

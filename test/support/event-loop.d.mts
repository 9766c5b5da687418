export interface LoopWatch {
  readonly heldUpMs: () => number;
  readonly reset: () => void;
  readonly stop: () => void;
}
export function watchEventLoop(): LoopWatch;
export function heldUp(work: () => Promise<unknown>): Promise<number>;

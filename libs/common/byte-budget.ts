/** Lets work that holds so many bytes in memory wait for its turn, first come, first served. */
export class ByteBudget {
  private held = 0;
  private readonly waiting: { readonly bytes: number; readonly go: () => void }[] = [];

  /** @param most bytes held at a time; what needs more than that has its turn alone */
  constructor(private readonly most: number) {}

  async use<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const share = Math.min(bytes, this.most);
    if (this.waiting.length > 0 || this.held + share > this.most) {
      await new Promise<void>((go) => this.waiting.push({ bytes: share, go }));
    } else {
      this.held += share;
    }
    try {
      return await work();
    } finally {
      this.held -= share;
      this.admit();
    }
  }

  private admit(): void {
    for (let [next] = this.waiting; next && this.held + next.bytes <= this.most; [next] = this.waiting) {
      this.waiting.shift();
      this.held += next.bytes;
      next.go();
    }
  }
}

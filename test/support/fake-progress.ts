import type { Progress, ProgressSteps } from '../../core/contracts/progress.js';

/** Writes everything down: `step NAME`, `ID`, `ID done`, `log TEXT`. */
export class RecordedProgress implements Progress, ProgressSteps {
  readonly lines: string[] = [];

  status(id: string, update: { readonly completed?: boolean }): void {
    const line = update.completed ? `${id} done` : id;
    if (this.lines.at(-1) !== line) this.lines.push(line);
  }
  log(_stream: string, data: Uint8Array): void {
    this.lines.push(`log ${Buffer.from(data).toString().trimEnd()}`);
  }
  warn(): void {}
  async step<T>(name: string, work: (progress: Progress) => Promise<T>): Promise<T> {
    this.lines.push(`step ${name}`);
    return work(this);
  }
}

import { JobLog } from '../../../src/github/commands.ts';

/** What the step printed, the containers' text apart from the rest; stdout is the test's. */
export class CapturedLog extends JobLog {
  /** What containers wrote, and for each restart a line of its own: see {@link restartMark}. */
  container = '';
  /** How often a restart was told. */
  restarts = 0;
  readonly lines: string[] = [];
  readonly annotations: string[] = [];

  override line(text: string): void {
    this.lines.push(text);
    if (!/^Container base .*restart/.test(text)) return;
    if (this.container !== '' && !this.container.endsWith('\n')) this.container += '\n';
    this.container += restartMark(++this.restarts);
  }
  override output(text: string): void {
    this.container += text;
  }
  override folded(_: string, text: string): void {
    this.lines.push(text);
  }
  override error(title: string, message: string): void {
    this.annotations.push(`${title}: ${message}`);
  }
  override warning(title: string, message: string): void {
    this.error(title, message);
  }
  override notice(title: string, message: string): void {
    this.error(title, message);
  }
  override mask(): void {}
}

/** @returns how the `nth` restart shows in the text. */
export function restartMark(nth: number): string {
  return `<restart ${nth}>\n`;
}

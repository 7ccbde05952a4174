/** A pattern that cannot be read. This folder knows no BuildError; callers wrap it with what they were doing. */
export class PatternError extends Error {
  readonly pattern: string;

  constructor(
    pattern: string,
    reason = 'a class needs its closing bracket, a backslash a character to escape',
  ) {
    super(`syntax error in pattern "${pattern}": ${reason}`);
    this.name = 'PatternError';
    this.pattern = pattern;
  }
}

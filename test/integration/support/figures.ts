/** Measured values of tests, told where a reader of the test's output finds them. */
export function figure(what: string, value: string): void {
  process.stdout.write(`      · ${what}: ${value}\n`);
}

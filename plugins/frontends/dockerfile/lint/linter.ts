/**
 * Brings what a conversion tells to the rules that are on, and their warnings to whoever wants them.
 * BuildKit: frontend/dockerfile/linter/linter.go.
 */
import type { Ranges } from '../convert/options.js';
import { locate, syntaxError } from '../located.js';
import type { CheckOptions } from './check-options.js';
import type { LintEvents } from './events.js';
import type { Rule } from './rule.js';
import { rules } from './rules.js';

export interface LintWarning {
  readonly rule: Rule;
  readonly detail: string;
  readonly ranges: Ranges;
}

type Listener<Event extends keyof LintEvents> = (event: LintEvents[Event]) => void;

export class Linter {
  /** Says nothing about anything. */
  static readonly silent = new Linter(undefined, () => {});

  readonly #listeners = new Map<keyof LintEvents, Listener<never>[]>();
  readonly #sink: (warning: LintWarning) => void;
  readonly #violations: Pick<LintWarning, 'rule' | 'ranges'>[] = [];
  readonly #failing: boolean;

  constructor(options: CheckOptions | undefined, sink: (warning: LintWarning) => void) {
    this.#sink = sink;
    this.#failing = options?.error ?? false;
    if (options) for (const rule of rules) if (isOn(rule, options)) this.#add(rule);
  }

  hears(event: keyof LintEvents): boolean {
    return this.#listeners.has(event);
  }

  tell<Event extends keyof LintEvents>(event: Event, what: LintEvents[Event]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as Listener<Event>)(what);
  }

  /** Fails if there were warnings and the file wants that to count. */
  finish(): void {
    if (this.#violations.length === 0) return;
    const names = new Set(this.#violations.map(({ rule }) => rule.name));
    const error = syntaxError(`lint violation found for rules: ${[...names].join(', ')}`);
    throw locate(
      error,
      this.#violations.flatMap(({ ranges }) => ranges),
    );
  }

  #add(rule: Rule): void {
    const warn = (ranges: Ranges, detail: string): void => {
      if (this.#failing) this.#violations.push({ rule, ranges });
      this.#sink({ rule, detail, ranges });
    };
    for (const [event, listener] of Object.entries(rule.on)) {
      const key = event as keyof LintEvents;
      const known = this.#listeners.get(key) ?? [];
      known.push((what) => (listener as (what: unknown, tell: typeof warn) => void)(what, warn));
      this.#listeners.set(key, known);
    }
  }
}

function isOn({ name, experimental }: Rule, options: CheckOptions): boolean {
  if (experimental) return options.experimental === 'all' || options.experimental.has(name);
  return options.skip !== 'all' && !options.skip.has(name);
}

/** What can go wrong with one exchange between a client and a registry. */
import type { Random } from '../../simulation/random.js';

/** Exchanges by what they are for. */
export const exchanges = [
  'read manifest',
  'read blob',
  'ask for blob',
  'begin upload',
  'send blob',
  'write manifest',
  'get token',
] as const;
export type Exchange = (typeof exchanges)[number];

const reading = ['read manifest', 'read blob'] as const;
const writing = ['send blob', 'write manifest'] as const;

/** Per trouble, what it can happen to. */
const troubles = {
  'server error': exchanges,
  'too many requests': exchanges,
  'closed at once': exchanges,
  // A token is asked for by the client, which has a patience of its own.
  'never answered': exchanges.filter((exchange) => exchange !== 'get token'),
  'closed in the answer': reading,
  'ended in the answer': reading,
  'stuck in the answer': reading,
  'slow answer': reading,
  'shorter answer': reading,
  'bit flipped': reading,
  'login page': ['read manifest', 'read blob', 'get token'],
  'other type': ['read manifest'],
  'other digest in the header': ['read manifest'],
  'sent elsewhere': ['read blob'],
  'sent around in circles': ['read manifest', 'read blob'],
  'closed in the request': writing,
  'bit flipped in the request': writing,
  'answer lost': ['begin upload', 'send blob', 'write manifest'],
} as const satisfies Readonly<Record<string, readonly Exchange[]>>;

export type Trouble = keyof typeof troubles;

export interface Fault {
  readonly trouble: Trouble;
  readonly exchange: Exchange;
  /** So many exchanges of the kind go well before. */
  readonly after: number;
  /** So many go wrong then. */
  readonly times: number;
  /** How far the bytes come, of 1. */
  readonly at: number;
  readonly status: number;
}

export interface FaultPlan {
  readonly faults: readonly Fault[];
  /** Exchanges that a token is good for; absent: no tokens are wanted. */
  readonly tokenLife?: number;
  /** The registry answers with all of a blob when a part was asked for. */
  readonly withoutRanges: boolean;
}

export const noFaults: FaultPlan = { faults: [], withoutRanges: false };

const statuses = [500, 502, 503, 504, 408] as const;

export function makePlan(random: Random): FaultPlan {
  const faults = Array.from({ length: 1 + random.int(4) }, () => makeFault(random));
  const withoutRanges = random.chance(0.2);
  // Four blobs are read at once with one token.
  return random.chance(0.4)
    ? { faults, withoutRanges, tokenLife: 4 + random.int(8) }
    : { faults, withoutRanges };
}

function makeFault(random: Random): Fault {
  const trouble = random.pick(Object.keys(troubles) as Trouble[]);
  return {
    trouble,
    exchange: random.pick<Exchange>(troubles[trouble]),
    after: random.int(4),
    times: random.chance(0.15) ? Number.POSITIVE_INFINITY : 1 + random.int(4),
    at: random.next(),
    status: random.pick(statuses),
  };
}

export const describeFault = ({ trouble, exchange, after, times, at }: Fault): string =>
  `${trouble} (${exchange}, ${times} times after ${after}, at ${at.toFixed(2)})`;

export const describePlan = ({ faults, tokenLife, withoutRanges }: FaultPlan): string =>
  [
    ...faults.map(describeFault),
    ...(tokenLife === undefined ? [] : [`tokens for ${tokenLife} exchanges`]),
    ...(withoutRanges ? ['no ranges'] : []),
  ].join('; ') || 'no faults';

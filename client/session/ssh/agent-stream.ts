/** An agent as a byte stream: requests are written to it, answers are read from it, one after the other. */
import { Duplex } from 'node:stream';
import { AgentFrames, agentFrame } from './wire.js';

/** Message numbers of draft-ietf-sshm-ssh-agent, section 6.1. */
export const agentMessages = {
  failure: 5,
  requestIdentities: 11,
  identitiesAnswer: 12,
  signRequest: 13,
  signResponse: 14,
} as const;

/** What an agent does not do, and what it is not allowed to. */
export const refusal: Uint8Array = Uint8Array.of(agentMessages.failure);

/** Answers one message, without its length. */
export type AnswerAgent = (request: Buffer) => Promise<Uint8Array>;

export class AgentStream extends Duplex {
  readonly #answer: AnswerAgent;
  readonly #closed: () => void;
  readonly #frames = new AgentFrames();

  /** `closed` is called once, when nobody asks any more. */
  constructor(answer: AnswerAgent, closed: () => void = () => {}) {
    super({ allowHalfOpen: true });
    this.#answer = answer;
    this.#closed = closed;
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#answerAll(data).then(() => done(), done);
  }

  /** Whoever asks no more gets no more answers. */
  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  override _read(): void {}

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#closed();
    done(error);
  }

  async #answerAll(data: Buffer): Promise<void> {
    for (const request of this.#frames.push(data)) this.push(agentFrame(await this.#answer(request)));
  }
}

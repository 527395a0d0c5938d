/**
 * KeyLedger: notices a key that was used for another request before, also where that one went to another stream.
 *
 * Owns: the keys that are under way in this process. Does not own: those that were used before (a projection's rows).
 * The stream of a command knows its own keys; this is for doors whose stream depends on the body.
 */
import type { CommandIdentity } from './idempotency.js';
import { Problem } from './problem.js';

export interface UsedKeys {
  /** What the command's first request was, by its hash; undefined if there was none. @throws Problem not-caught-up where that is not known yet */
  requestHashOf(commandId: string): Promise<string | undefined>;
}

export class KeyLedger {
  private readonly underWay = new Map<string, { readonly requestHash: string; readonly ended: Promise<unknown> }>();

  constructor(private readonly used: UsedKeys) {}

  /** @throws Problem idempotency-key-reused, and nothing was done */
  async once<T>({ commandId, requestHash, keyed }: CommandIdentity, work: () => Promise<T>): Promise<T> {
    if (!keyed) return work();
    for (let other = this.underWay.get(commandId); other !== undefined; other = this.underWay.get(commandId)) {
      if (other.requestHash !== requestHash) throw reused();
      await other.ended;
    }
    const doing = this.look(commandId, requestHash, work);
    const ended = doing.catch(() => undefined).finally(() => this.underWay.delete(commandId));
    this.underWay.set(commandId, { requestHash, ended });
    return doing;
  }

  private async look<T>(commandId: string, requestHash: string, work: () => Promise<T>): Promise<T> {
    const before = await this.used.requestHashOf(commandId);
    if (before !== undefined && before !== requestHash) throw reused();
    return work();
  }
}

function reused(): Problem {
  return new Problem('idempotency-key-reused', 'This Idempotency-Key came with another request before. Use a new key for a new request.');
}

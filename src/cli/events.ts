/** `sluice events`: the facts of a run, as they are stored. */
import type { Command } from 'commander';
import { factRow, listOf, type FactRow } from './answers.js';
import { door } from './client.js';
import { openSession, type Session, type Surroundings } from './context.js';
import { isObject, MAX_LIMIT } from './parsing.js';
import { isTransient, Patience, PAUSE_MS } from './patience.js';
import { cut } from './rendering.js';
import { safeJson, type Terminal } from './terminal.js';

const LAST_FACTS: readonly string[] = ['RunCompleted', 'RunFailed', 'RunCancelled'];
const TYPE_COLUMN = 20;

export function addEvents(program: Command, surroundings: Surroundings): void {
  program
    .command('events')
    .description('the facts of a run, oldest first')
    .argument('<run>', 'id')
    .option('--follow', 'go on with what happens, to the end of the run')
    .action((runId: string, { follow }: { follow?: boolean }, command: Command) => {
      const facts = new Facts(openSession(surroundings, command), runId);
      return follow === true ? facts.follow() : facts.list();
    });
}

class Facts {
  private revision: string | undefined;
  private position: string | undefined;
  /** Where a stream that could not go back so far began instead. */
  private resetTo: string | undefined;
  private ended = false;

  constructor(
    private readonly session: Session,
    private readonly runId: string,
  ) {}

  async list(): Promise<void> {
    const all: unknown[] = [];
    await this.readOn((fact, raw) => {
      all.push(raw);
      this.session.say(factLine(this.session.terminal, fact));
    });
    this.session.document({ items: all });
  }

  async follow(): Promise<void> {
    const patience = new Patience(this.session);
    while (!this.ended) {
      const isServed = await patience.isServed(() => this.tellNew());
      if (this.ended) return;
      if (!isServed || !(await this.somethingHappened())) await this.session.clock.sleep(PAUSE_MS);
    }
  }

  private async tellNew(): Promise<void> {
    await this.readOn((fact, raw) => {
      this.session.record(raw);
      this.session.say(factLine(this.session.terminal, fact));
    });
  }

  /** Tells every fact after the last one that was read. */
  private async readOn(tell: (fact: FactRow, raw: unknown) => void): Promise<void> {
    for (;;) {
      const query = { after: this.revision, limit: MAX_LIMIT };
      const { body, raw } = await this.session.client.get(door('runs', this.runId, 'events'), listOf(factRow), query);
      const raws: unknown[] = isObject(raw) && Array.isArray(raw.items) ? raw.items : [];
      body.items.forEach((fact, at) => tell(fact, raws[at]));
      const last = body.items.at(-1);
      this.revision = last?.revision ?? this.revision;
      this.position = last?.position ?? this.position;
      this.ended ||= body.items.some(({ type }) => LAST_FACTS.includes(type));
      if (body.items.length < MAX_LIMIT) return;
    }
  }

  /** Tells what each message of the live stream brings; false if there is no stream (any more). */
  private async somethingHappened(): Promise<boolean> {
    const stop = new AbortController();
    try {
      const messages = this.session.client.live({ run: this.runId, after: this.position, lastEventId: this.resetTo }, stop.signal);
      for await (const message of messages) {
        this.resetTo = message.event === 'reset' ? message.id : undefined;
        // What it did not tell is read, but not as fast as a server may say so.
        if (message.event === 'reset') return false;
        // Several messages tell of one fact.
        if (message.id !== undefined && this.position !== undefined && message.id <= this.position) continue;
        await this.tellNew();
        if (this.ended) return true;
      }
      return false;
    } catch (error) {
      if (isTransient(error)) return false;
      throw error;
    } finally {
      stop.abort();
    }
  }
}

/** `  12  03:29:04.123  StepSucceeded         extract  {"attempt":1}` */
function factLine(terminal: Terminal, { revision, type, data, metadata, recordedAt }: FactRow): string {
  const { stepId, ...rest } = isObject(data) ? data : {};
  const at = metadata?.at ?? recordedAt ?? '';
  const what = [typeof stepId === 'string' ? stepId : '', safeJson(rest) === '{}' ? '' : safeJson(rest)].filter((part) => part !== '');
  return cut(terminal, `${revision.padStart(4)}  ${at.padEnd(24)}  ${type.padEnd(TYPE_COLUMN)}  ${what.join('  ')}`.trimEnd());
}

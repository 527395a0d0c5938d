/**
 * RunInputs: what a job is given: the parameters of its attempt and the outputs of its run's earlier steps, whole.
 *
 * Owns: the outputs of the runs at work, bounded by bytes. Does not own: attempts (worklist), jobs (runner). Talks to:
 * the log's reader.
 *
 * 1. A payload over 1 KiB is not kept: where it stands is, and it is read when a job starts.
 * 2. A run that is not kept is read again from its stream, so forgetting costs time and never changes an answer.
 * 3. Each job gets a copy of its own: what it does to it reaches nobody else.
 */
import { LRUCache } from 'lru-cache';
import { parseJson } from '../events/json.js';
import type { JsonValue } from '../events/json.js';
import { isRunFactType, storedRunFact } from '../events/run.codec.js';
import type { Placed } from '../events/run.codec.js';
import { endsRun, RUN_PAYLOADS } from '../events/run.events.js';
import type { RunFact } from '../events/run.events.js';
import type { Streams } from '../events/streams.js';
import type { RunId } from '../ids.js';
import { inlined } from '../log/event-reader.js';
import type { EventReader } from '../log/event-reader.js';
import { held } from './worklist.js';
import type { Attempt, Held } from './worklist.js';

export interface Inputs {
  readonly params: JsonValue;
  /** Made when it is asked for, for this asker: a job of a wide group seldom looks at what a thousand others gave. */
  readonly outputs: () => Readonly<Record<string, JsonValue>>;
}

interface Kept {
  readonly outputs: Map<string, Held>;
  /** Those of them that are read when they are needed. */
  readonly large: Map<string, Held>;
  characters: number;
  /** Until then outputs from before this run was kept may be missing. */
  readonly filled: Promise<void>;
}

const KEPT_CHARACTERS = 16 * 1024 * 1024;
/** About what a run costs besides the texts of its outputs, and what each of these does. */
const OF_A_RUN = 640;
const OF_AN_OUTPUT = 128;

export class RunInputs {
  private readonly kept = new LRUCache<RunId, Kept>({
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: ({ characters, outputs }) => characters + OF_A_RUN + OF_AN_OUTPUT * outputs.size,
  });

  constructor(
    private readonly reader: EventReader,
    private readonly streams: Streams,
  ) {}

  apply(runId: RunId, fact: Placed<RunFact>): void {
    if (fact.type === 'RunStarted') this.kept.set(runId, nothingKept());
    if (hasOutputs(fact)) this.note(runId, fact.data.stepId, held(fact.data.outputs, fact.revision));
    if (endsRun(fact)) this.drop(runId);
  }

  drop(runId: RunId): void {
    this.kept.delete(runId);
  }

  /** @throws Unavailable while the log can't be read, Error if it does not have what its facts name */
  async of({ runId, params }: Attempt): Promise<Inputs> {
    const { outputs, large } = await this.outputsOf(runId);
    // What comes later is behind these: each is put once.
    const known = outputs.size;
    const read = await this.readLarge(runId, large);
    return { params: await this.whole(runId, params), outputs: () => recordOf(outputs, known, read) };
  }

  private async readLarge(runId: RunId, large: Kept['large']): Promise<ReadonlyMap<string, JsonValue>> {
    const read = new Map<string, JsonValue>();
    for (const [stepId, one] of large) read.set(stepId, await this.whole(runId, one));
    return read;
  }

  private note(runId: RunId, stepId: string, output: Held): void {
    const run = this.kept.peek(runId);
    if (run === undefined) return;
    put(run, stepId, output);
    // Put again because its size is taken when it is put.
    this.kept.set(runId, run);
  }

  private async outputsOf(runId: RunId): Promise<Pick<Kept, 'outputs' | 'large'>> {
    let run = this.kept.get(runId);
    if (run === undefined) {
      const fresh = nothingKept();
      run = { ...fresh, filled: this.fill(runId, fresh) };
      this.kept.set(runId, run);
    }
    await run.filled;
    return run;
  }

  private async fill(runId: RunId, run: Kept): Promise<void> {
    try {
      const stored = await this.reader.readStream(this.streams.run(runId));
      for (const fact of stored.map(storedRunFact)) if (hasOutputs(fact)) put(run, fact.data.stepId, held(fact.data.outputs, fact.revision));
    } catch (error) {
      this.kept.delete(runId);
      throw error;
    }
    // What was noted meanwhile is in the same map. A run that was dropped meanwhile stays dropped.
    if (this.kept.peek(runId)?.outputs === run.outputs) this.kept.set(runId, run);
  }

  private async whole(runId: RunId, payload: Held): Promise<JsonValue> {
    if ('text' in payload) return parseJson(payload.text);
    const [stored] = await this.reader.readStream(this.streams.run(runId), { after: payload.revision - 1, limit: 1 });
    const fact = stored && storedRunFact(await inlined(stored, isRunFactType(stored.type) ? RUN_PAYLOADS[stored.type] : undefined, this.reader));
    if (fact?.type === 'StepDispatched') return fact.data.params;
    if (fact !== undefined && hasOutputs(fact)) return fact.data.outputs;
    throw new Error(`Fact ${payload.revision} of run ${runId} is not where it was seen.`);
  }
}

/** Of a step that succeeded in this run, or in the one that it tries again. */
function hasOutputs(fact: RunFact): fact is RunFact & { readonly data: { readonly stepId: string; readonly outputs: JsonValue } } {
  return fact.type === 'StepSucceeded' || (fact.type === 'StepKept' && fact.data.outputs !== undefined);
}

function nothingKept(): Kept {
  return { outputs: new Map(), large: new Map(), characters: 0, filled: Promise.resolve() };
}

function recordOf(outputs: ReadonlyMap<string, Held>, known: number, read: ReadonlyMap<string, JsonValue>): Readonly<Record<string, JsonValue>> {
  const first = [...outputs].slice(0, known);
  return Object.fromEntries(first.map(([stepId, one]) => [stepId, 'text' in one ? parseJson(one.text) : (read.get(stepId) ?? null)]));
}

function put(run: Kept, stepId: string, output: Held): void {
  if (run.outputs.has(stepId)) return;
  run.outputs.set(stepId, output);
  if (!('text' in output)) run.large.set(stepId, output);
  run.characters += 'text' in output ? output.text.length : 0;
}

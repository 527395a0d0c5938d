/**
 * Parts that break one promise each, put in the place of those that an engine is given. The matrix must see every one.
 */
import type { Delivery, StoredFact } from '../../src/log/event-reader.js';
import { ids } from '../../src/ids.js';
import type { AnyRunCommand } from '../../src/runs/run.commands.js';
import { StartRun } from '../../src/runs/run.commands.js';
import type { EngineLog } from '../../src/log/open-log.js';
import { overlaid } from './life.js';
import type { Life } from './life.js';
import type { Changes } from './matrix.js';

export interface Sabotage {
  readonly changes: Changes;
  /** What the matrix says of it. */
  readonly seenAs: RegExp;
}

export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  'it acts before it appends': {
    changes: { spoil: ({ log, rows }) => ({ log: actingFirst(log), rows }) },
    seenAs: /ran without a stored claim/,
  },
  'the checkpoint is moved apart from the rows': {
    changes: { spoil: ({ log, rows }) => ({ log, rows: overlaid(rows, { transaction: (work) => work() }) }) },
    seenAs: /The rows of \w+ are not what a rebuild gives|Projection \w+ has parked/,
  },
  'what is said again has another id': {
    changes: { again: renamed },
    seenAs: /Asked for were the runs|was refused/,
  },
  "it acts on another life's claim": {
    changes: { spoil: (stores, life) => ({ ...stores, log: claimingAll(stores.log, life) }) },
    seenAs: /ran under another life's claim/,
  },
};

/** Tells the reactor of facts that are still on their way to the disk. */
function actingFirst(log: EngineLog): EngineLog {
  const early: StoredFact[] = [];
  let wake: () => void = () => undefined;
  return overlaid<EngineLog>(log, {
    append: async (stream, expected, facts, blobs) => {
      const from = expected === 'none' ? 0 : expected + 1;
      const head = Number((await log.head()) || 0);
      early.push(...facts.map(({ id, type, data, metadata }, at) => ({ stream, revision: from + at, type, data, metadata, id, position: String(head + at + 1).padStart(16, '0'), recordedAt: metadata['at']! })));
      wake();
      return log.append(stream, expected, facts, blobs);
    },
    subscribe: async function* (options) {
      if (options.filter === undefined) yield* log.subscribe(options);
      if (options.filter === undefined) return;
      for await (const delivery of log.subscribe(options)) {
        yield delivery;
        if (delivery.kind === 'caughtUp') break;
      }
      for (;;) {
        const facts = early.splice(0).filter(({ stream }) => stream.startsWith('run-'));
        if (facts.length > 0) yield { kind: 'facts', facts } satisfies Delivery;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  });
}

/** Takes every open claim for its own, whoever made it, and acts before it has seen what stands in the log. */
function claimingAll(log: EngineLog, life: Life): EngineLog {
  return overlaid<EngineLog>(log, {
    subscribe: async function* (options) {
      const mine = options.filter !== undefined;
      if (mine) yield { kind: 'caughtUp', position: '' };
      for await (const delivery of log.subscribe(options)) yield mine && delivery.kind === 'facts' ? { ...delivery, facts: claimed(delivery.facts, life.node) } : delivery;
    },
  });
}

function claimed(facts: readonly StoredFact[], worker: string): readonly StoredFact[] {
  const ended = new Set(facts.filter(({ type }) => type !== 'StepStarted' && type !== 'StepDispatched').map(({ data }) => data['executionId']));
  return facts.map((fact) => (fact.type === 'StepStarted' && !ended.has(fact.data['executionId']) ? { ...fact, data: { ...fact.data, worker } } : fact));
}

/** A start that is said again makes another run. */
function renamed(command: AnyRunCommand): AnyRunCommand {
  if (command.type !== 'StartRun') return command;
  const origin = { ...command.origin, commandId: ids.derivedCommand('again', command.origin.commandId) };
  return new StartRun(ids.runOf(origin.commandId), command.start, origin);
}

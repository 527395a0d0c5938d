/** An engine in a process of its own, that starts runs until it is killed. Prints `started KEY` for each that was acknowledged. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable } from '../../src/log/log-errors.js';
import { openEngine } from '../scenarios/engine.js';

const [directory = '', from = '0', count = '0'] = process.argv.slice(2);
const engine = await openEngine(directory);
process.stdout.write('open\n');

/** Says it again, by the same key, where the log could not say whether it was taken. */
async function started(batch: string, key: string): ReturnType<typeof engine.start> {
  for (;;) {
    try {
      return await engine.start(batch, key);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      await sleep(100);
    }
  }
}

const batches = ['three', 'flaky', 'gated'] as const;
await Promise.all(
  Array.from({ length: 16 }, async (_, lane) => {
    for (let at = Number(from) + lane; at < Number(from) + Number(count); at += 16) {
      const key = `run-${at}`;
      const runId = await started(batches[at % 3]!, key);
      process.stdout.write(`started ${key}\n`);
      if (at % 3 !== 2) await engine.until(runId, 'completed');
    }
  }),
);
process.stdout.write('done\n');
setInterval(() => undefined, 1_000);

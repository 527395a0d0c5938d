/** An engine in a process of its own, that starts runs until it is killed. Prints `started KEY` for each that was acknowledged. */
import { openEngine } from '../scenarios/engine.js';

const [directory = '', from = '0', count = '0'] = process.argv.slice(2);
const engine = await openEngine(directory);
process.stdout.write('open\n');
const batches = ['three', 'flaky', 'gated'] as const;
await Promise.all(
  Array.from({ length: 16 }, async (_, lane) => {
    for (let at = Number(from) + lane; at < Number(from) + Number(count); at += 16) {
      const key = `run-${at}`;
      const runId = await engine.start(batches[at % 3]!, key);
      process.stdout.write(`started ${key}\n`);
      if (at % 3 !== 2) await engine.until(runId, 'completed');
    }
  }),
);
process.stdout.write('done\n');
setInterval(() => undefined, 1_000);

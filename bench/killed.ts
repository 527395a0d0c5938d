/** An engine in the middle of 64 runs, to be killed: `killed.ts <data directory>`. Says so when all of them hang. */
import { defineJob } from '../src/jobs/job.js';
import { work } from './three-steps.js';
import { drive, openBench, THREE } from './trial.js';

const [directory = ''] = process.argv.slice(2);
let hanging = 0;
const hang = defineJob({ name: 'hang', run: () => ((hanging += 1) === 64 && process.stdout.write('hanging\n'), new Promise<never>(() => undefined)) });
const two = { name: 'two', steps: [{ id: 'first', type: 'job' as const, job: 'work' }, { id: 'second', type: 'job' as const, job: 'hang' }] };
const bench = await openBench(directory, { jobs: [work, hang], batches: [THREE, two] });
// A log of some length, so that the way back is not the way through nothing.
await drive(5_000, 64, async () => bench.start('three').ended);
for (let run = 0; run < 64; run += 1) bench.start('two');
// An engine that only hangs would let the process end.
setInterval(() => undefined, 60_000);

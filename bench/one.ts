/** One measurement in this process: `one.ts <name>`. Writes its figures as one line of JSON. */
import { MEASUREMENTS } from './measurements.js';

const [name = ''] = process.argv.slice(2);
const measurement = MEASUREMENTS[name];
if (measurement === undefined) throw new Error(`There is no measurement ${name}: ${Object.keys(MEASUREMENTS).join(', ')}.`);
process.stdout.write(`${JSON.stringify(await measurement())}\n`);
process.exit(0);

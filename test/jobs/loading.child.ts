/** Loads job modules for load-jobs.spec.ts: a question per line, an answer per line. */
import { createInterface } from 'node:readline';
import { loadJobModules } from '../../src/jobs/load-jobs.js';

interface Question {
  readonly id: number;
  readonly list: string;
  readonly directory: string;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, list, directory } = JSON.parse(line) as Question;
  process.stdout.write(`${JSON.stringify({ id, ...(await answer(list, directory)) })}\n`);
}

async function answer(list: string, directory: string): Promise<object> {
  try {
    const modules = await loadJobModules(list, directory);
    return {
      loaded: modules.map(({ specifier, url, jobs, batches }) => ({
        specifier,
        url,
        jobs: jobs.map(({ name }) => name),
        batches: batches.map(({ name }) => name),
      })),
    };
  } catch (error) {
    return { error: error instanceof Error ? { name: error.name, message: error.message } : { name: 'thrown', message: String(error) } };
  }
}

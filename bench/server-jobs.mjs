/** The job and the batch of the bench, as a server loads them. */
import { defineBatch, defineJob } from '../dist/src/index.js';

export const jobs = [defineJob({ name: 'work', run: async () => ({ done: true }) })];
export const batches = [defineBatch({ name: 'three', steps: ['a', 'b', 'c'].map((id) => ({ id, type: 'job', job: 'work' })) })];

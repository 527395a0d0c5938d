/** BullMQ: a flow of three jobs, each the parent of the one before; done when the last one is. */
import { FlowProducer, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { measure } from './lanes.mjs';

const connect = () => new Redis({ host: '127.0.0.1', port: Number(process.env.PEER_PORT), maxRetriesPerRequest: null });
const flows = new FlowProducer({ connection: connect() });
const workers = ['a', 'b', 'c'].map((step) => new Worker(step, async () => ({ done: true }), { connection: connect(), concurrency: 64 }));
const waiting = new Map();
workers[2].on('completed', ({ id }) => {
  waiting.get(id)?.();
  waiting.delete(id);
});

await measure(async (id) => {
  const ended = new Promise((resolve) => waiting.set(id, resolve));
  const first = { name: 'a', queueName: 'a' };
  const second = { name: 'b', queueName: 'b', children: [first] };
  await flows.add({ name: 'c', queueName: 'c', opts: { jobId: id }, children: [second] });
  await ended;
});
process.exit(0);

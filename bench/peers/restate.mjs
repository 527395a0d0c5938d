/** Restate: a workflow of three durable side effects, served from this process and called over its ingress. */
import * as clients from '@restatedev/restate-sdk-clients';
import * as restate from '@restatedev/restate-sdk';
import { measure } from './lanes.mjs';

// The SDK wants a newer runtime than Node 20 for this one function.
Promise.withResolvers ??= () => {
  const resolvers = {};
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers;
};

const { INGRESS, ADMIN, SERVICE } = process.env;
const three = restate.workflow({
  name: 'three',
  handlers: {
    run: async (context) => {
      for (const name of ['a', 'b', 'c']) await context.run(name, async () => ({ done: true }));
    },
  },
});
await restate.serve({ services: [three], port: Number(SERVICE) });
const register = () =>
  fetch(`http://127.0.0.1:${ADMIN}/deployments`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ uri: `http://127.0.0.1:${SERVICE}`, force: true }),
  });
// Its doors open before it can take a service.
let registered = await register();
for (let tries = 0; !registered.ok && tries < 60; tries += 1) {
  await new Promise((resolve) => setTimeout(resolve, 500));
  registered = await register();
}
if (!registered.ok) throw new Error(`Restate did not take the service: ${registered.status} ${await registered.text()}`);
const ingress = clients.connect({ url: `http://127.0.0.1:${INGRESS}` });
await measure(async (id) => {
  const run = ingress.workflowClient({ name: 'three' }, id);
  await run.workflowSubmit();
  await run.workflowAttach();
});
process.exit(0);

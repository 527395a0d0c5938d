/** DBOS: a workflow of three steps, its state in PostgreSQL. */
import { DBOS } from '@dbos-inc/dbos-sdk';
import { measure } from './lanes.mjs';

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: `postgresql://bench@127.0.0.1:${process.env.PEER_PORT}/bench`, logLevel: 'error', runAdminServer: false, systemDatabasePoolSize: 20 });
const work = async () => ({ done: true });
const three = DBOS.registerWorkflow(async () => {
  for (const name of ['a', 'b', 'c']) await DBOS.runStep(work, { name });
}, { name: 'three' });
await DBOS.launch();
await measure(async (workflowID) => {
  const handle = await DBOS.startWorkflow(three, { workflowID })();
  await handle.getResult();
});
process.exit(0);

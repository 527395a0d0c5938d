/** How a peer is driven: as the engine is, after a warm-up, with the same number of runs in flight. One line of JSON a figure. */
import { performance } from 'node:perf_hooks';

/** `[[runs in flight, runs], …]`, as the bench gives it. */
const LANES = JSON.parse(process.env.LANES ?? '[[1,100],[64,1000]]');
/** As many, one after the other, as of Sluice. */
const SLICES = Number(process.env.SLICES ?? 1);

export async function measure(one) {
  let serial = 0;
  const drive = async (lanes, runs) => {
    let left = runs;
    await Promise.all(Array.from({ length: lanes }, async () => {
      while (left-- > 0) await one(`r${process.pid}-${serial++}`);
    }));
  };
  // Until the code is compiled as it stays: about as much processor time as Sluice's thousand runs take.
  await drive(16, 300);
  for (const [lanes, runs] of LANES) {
    await drive(lanes, Math.ceil(runs * 0.15));
    for (let left = SLICES; left > 0; left -= 1) {
      const from = performance.now();
      await drive(lanes, runs);
      process.stdout.write(`${JSON.stringify({ lanes, perSecond: runs / ((performance.now() - from) / 1_000) })}\n`);
    }
  }
}

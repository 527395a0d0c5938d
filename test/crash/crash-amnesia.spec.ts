/** The crash matrix once more, with engines that keep nothing: what is remembered must be worth time and nothing else. */
import { expect, it, jest } from '@jest/globals';

/** Forgets at once. */
class Forgetful {
  static asked = 0;
  get(): undefined {
    Forgetful.asked += 1;
  }
  peek(): undefined {}
  set(): void {}
  delete(): void {}
}
jest.unstable_mockModule('lru-cache', () => ({ LRUCache: Forgetful }));
const { matrix } = await import('../simulation/matrix.js');
const { SCENARIOS } = await import('../simulation/scenarios.js');

it('The crash matrix comes to the same with nothing kept in memory', async () => {
  const { cases, crashes, failures } = await matrix(SCENARIOS);
  process.stdout.write(`crash matrix without caches: ${cases} cases, ${crashes} crashes, ${Forgetful.asked} questions to a cache\n`);
  expect(failures).toEqual([]);
  expect(crashes).toBeGreaterThanOrEqual(cases);
  expect(Forgetful.asked).toBeGreaterThan(cases);
}, 600_000);

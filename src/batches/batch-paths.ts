/** How the doors of batches name a batch and its version. */
import { invalid, Problem } from '../http/problem.js';

export function noBatch(batch: string): Problem {
  return new Problem('not-found', `There is no batch ${batch.slice(0, 100)}.`);
}

export function etagOf(version: number): string {
  return `"${version}"`;
}

/** @throws Problem precondition-required without one, validation-failed for one that no answer carried */
export function versionOf(ifMatch: string | undefined): number {
  if (ifMatch === undefined) throw new Problem('precondition-required', 'Say which version you have changed: send the ETag that you were given as If-Match.');
  const version = /^"?(\d{1,9})"?$/.exec(ifMatch.trim())?.[1];
  if (version === undefined) throw invalid([{ path: '/headers/if-match', message: 'must be the ETag of an answer, like "3"' }]);
  return Number(version);
}

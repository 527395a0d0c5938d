/** Parts of the page that are loaded when they are needed, and waited for when the connection is gone just then. */
import { lazy } from 'react';
import type { ComponentType } from 'react';
import { live, pauseOrOnline } from '../api/live';

const AGAIN_MS = 1_000;
const MOST_TRIES = 3;

export async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; ) {
    try {
      return await load();
    } catch (error) {
      // The server answers and does not have it: it is another version than the page.
      if (live.state().state !== 'lost') tries += 1;
      if (tries > MOST_TRIES) throw new Error('This part of the page is not there any more: the server is another version than the page. Load the page anew.', { cause: error });
      await pauseOrOnline(AGAIN_MS);
    }
  }
}

export const lazily = <P extends object>(load: () => Promise<ComponentType<P>>) => lazy(() => patiently(load).then((component) => ({ default: component })));

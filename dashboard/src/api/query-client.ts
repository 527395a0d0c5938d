/** What was answered, kept for a while. */
import { QueryClient } from '@tanstack/react-query';
import { Refused } from './client';

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: true,
      // A refusal stays one; what could not be reached is asked again when the connection is back.
      retry: (tries, error) => tries < 3 && (!(error instanceof Refused) || error.status === 503),
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
});

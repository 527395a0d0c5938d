import { useQuery } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { pulseQuery, RANGES } from '../api/queries';
import type { Range } from '../api/queries';

/** The range that the address asks for, on the overview. */
export function useRange(): Range {
  const said = useRouterState({ select: ({ location }) => (location.search as { readonly range?: unknown }).range });
  return typeof said === 'string' && said in RANGES ? (said as Range) : 'day';
}

/** One answer for the whole page, its frame too. */
export const usePulse = () => useQuery(pulseQuery(useRange()));

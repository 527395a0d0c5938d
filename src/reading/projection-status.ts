/** How each projection stands, as people see it. */
import type { Build } from './read-store.js';

/** How a projection stands. */
export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  readonly build: number;
  readonly state: 'live' | 'catchingUp' | 'building';
  readonly position: string;
  /** Facts a second that become rows now. */
  readonly rate: number;
  /** Why the newest rebuild came to nothing; null if none did. */
  readonly fault: string | null;
  /** Streams that are left out, with the first fact that could not be taken and why. */
  readonly parked: readonly { readonly stream: string; readonly position: string; readonly reason: string }[];
}

/** Why a stream is left out. */
export interface Parked {
  readonly position: string;
  readonly reason: string;
}

interface Standing {
  readonly live: boolean;
  readonly rate: number;
  readonly fault: string | undefined;
  readonly parked: ReadonlyMap<string, Parked> | undefined;
}

export function statusOf({ projection, number, state, position }: Build, { live, rate, fault, parked }: Standing): ProjectionStatus {
  return {
    name: projection.name,
    version: projection.version,
    build: number,
    state: state === 'building' ? 'building' : live ? 'live' : 'catchingUp',
    position,
    rate,
    fault: fault ?? null,
    parked: [...(parked ?? [])].map(([stream, why]) => ({ stream, ...why })),
  };
}

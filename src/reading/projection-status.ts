/** How each projection stands, as people see it. */
import type { Clock } from '../clock.js';
import type { Build } from './read-store.js';
import { Throughput } from './throughput.js';

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

/** What is known of the builds besides how far they are: how fast, what they left out, what came of the newest rebuild. */
export class Standings {
  private readonly rates = new Map<number, Throughput>();
  private readonly left = new Map<number, Map<string, Parked>>();
  private readonly faults = new Map<string, string>();

  constructor(private readonly clock: Clock) {}

  took({ number }: Build, facts: number): void {
    let rate = this.rates.get(number);
    if (rate === undefined) this.rates.set(number, (rate = new Throughput(this.clock)));
    rate.took(facts);
  }

  /** Streams that the build leaves out. */
  parkedOf({ number }: Build): Map<string, Parked> {
    let parked = this.left.get(number);
    if (parked === undefined) this.left.set(number, (parked = new Map<string, Parked>()));
    return parked;
  }

  /** Why the newest rebuild came to nothing. */
  faultOf(projection: string): string | undefined {
    return this.faults.get(projection);
  }

  /** Undefined: it came to something, or has begun anew. */
  fault(projection: string, why: string | undefined): void {
    if (why === undefined) this.faults.delete(projection);
    else this.faults.set(projection, why);
  }

  statusOf(build: Build, live: boolean): ProjectionStatus {
    const { projection: { name, version }, number, state, position } = build;
    return {
      name, version, build: number, position,
      state: state === 'building' ? 'building' : live ? 'live' : 'catchingUp',
      rate: this.rates.get(number)?.rate() ?? 0,
      fault: this.faults.get(name) ?? null,
      parked: [...this.parkedOf(build)].map(([stream, why]) => ({ stream, ...why })),
    };
  }
}

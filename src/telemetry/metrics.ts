/** What can be measured of a node, in Prometheus' text format. Everything is asked for when it is scraped. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** Where the figures come from. */
export interface Measured {
  runsByStatus(): Promise<Readonly<Record<string, number>>>;
  executionsByStatus(): Promise<Readonly<Record<string, number>>>;
  pendingApprovals(): Promise<number>;
  slots(): { readonly free: number; readonly held: number };
  /** Since the start. */
  repairs(): number;
  quarantinedRuns(): number;
  /** How old the rows are. */
  lagMs(): number;
  /** Streams that projections have left out. */
  parkedStreams(): number;
}

export class Metrics {
  private readonly registry = new Registry();

  constructor(measured: Measured) {
    collectDefaultMetrics({ register: this.registry });
    const { registry } = this;
    const gauge = (name: string, help: string, value: () => number | Promise<number>): void => {
      new Gauge({ name, help, registers: [registry], async collect() { this.set(await value()); } });
    };
    const byStatus = (name: string, help: string, values: () => Promise<Readonly<Record<string, number>>>): void => {
      new Gauge({
        name, help, labelNames: ['status'], registers: [registry],
        async collect() {
          for (const [status, value] of Object.entries(await values())) this.set({ status }, value);
        },
      });
    };
    byStatus('sluice_runs', 'Runs in each status.', () => measured.runsByStatus());
    byStatus('sluice_executions', 'Executions in each status.', () => measured.executionsByStatus());
    gauge('sluice_approvals_pending', 'Gates that wait for people.', () => measured.pendingApprovals());
    new Gauge({ name: 'sluice_slots', help: 'Slots of this node for jobs.', labelNames: ['state'], registers: [registry], collect() {
      for (const [state, value] of Object.entries(measured.slots())) this.set({ state }, value);
    } });
    let told = 0;
    new Counter({ name: 'sluice_repairs_total', help: 'Runs that hung and were taken up again: 0 as long as all is well.', registers: [registry], collect() {
      this.inc(measured.repairs() - told);
      told = measured.repairs();
    } });
    gauge('sluice_quarantined_runs', 'Runs that are left alone because their stream can not be understood.', () => measured.quarantinedRuns());
    gauge('sluice_projection_lag_seconds', 'How old the rows are.', () => measured.lagMs() / 1_000);
    gauge('sluice_projection_parked_streams', 'Streams that projections have left out.', () => measured.parkedStreams());
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}

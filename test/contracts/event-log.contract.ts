/**
 * What every event log must do, written once and run per store.
 *
 * `eventLogContract('my store', { open })` in a spec file is all that a store needs. Streams have names of their own in
 * every test, and what is read of the whole log is read from the head at the test's start: the log may be an old one.
 */
import { describe } from '@jest/globals';
import type { EventReader } from '../../src/log/event-reader.js';
import type { EventWriter, NewFact } from '../../src/log/event-writer.js';
import { appendingContract } from './event-log.appending.js';
import { readingContract } from './event-log.reading.js';
import { subscribingContract } from './event-log.subscribing.js';

export type EventLog = EventReader & EventWriter;

export interface OpenLog {
  readonly log: EventLog;
  /** Facts that the adapter holds in memory for subscribers who have not taken them yet. */
  bufferedFacts(): number;
  close(): Promise<void>;
}

export interface EventLogHarness {
  open(): Promise<OpenLog>;
  /** The most that `bufferedFacts` may say for one subscriber. */
  readonly bufferLimit: number;
  /** Bytes of an append as this log counts them against its limit of 1 MiB. The texts alone if absent. */
  readonly bytesOf?: (facts: readonly NewFact[]) => number;
}

/** A log that is opened before each test and closed after it. */
export type LogUnderTest = () => OpenLog;

export function eventLogContract(name: string, harness: EventLogHarness): void {
  describe(`event log: ${name}`, () => {
    appendingContract(harness);
    readingContract(harness);
    subscribingContract(harness);
  });
}

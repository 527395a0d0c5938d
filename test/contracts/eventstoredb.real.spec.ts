/**
 * The contract over a real EventStoreDB, where `EVENTSTORE_URL` names one. Give it a server of its own: the contract
 * looks at the end of the whole log, and others who write there disturb it.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Streams } from '../../src/events/streams.js';
import { sentEventOf, sizeOf } from '../../src/log/eventstoredb.codec.js';
import { openEventStoreLog } from '../../src/log/eventstoredb.event-log.js';
import { WAITING_FACTS } from '../../src/log/eventstoredb.listener.js';
import { eventLogContract } from './event-log.contract.js';

// A server of its own process, perhaps on a busy machine.
jest.setTimeout(60_000);

const url = process.env['EVENTSTORE_URL'];

if (url === undefined || url === '') {
  describe('event log: EventStoreDB', () => {
    it.skip('needs a server: set EVENTSTORE_URL', () => {
      expect(randomUUID()).not.toBe('');
    });
  });
} else {
  eventLogContract('EventStoreDB', {
    open: async () => {
      const log = await openEventStoreLog({ url, streams: new Streams() });
      return { log, bufferedFacts: () => log.bufferedFacts, close: () => log.close() };
    },
    bufferLimit: WAITING_FACTS,
    bytesOf: (facts) => sizeOf(facts.map(sentEventOf)),
  });
}

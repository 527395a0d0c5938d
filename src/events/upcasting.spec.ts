import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { storedBatchFact } from './batch.codec.js';
import { storedRunFact } from './run.codec.js';
import { NewerFact, upcaster, Upcasting } from './upcasting.js';
import type { Upcaster } from './upcasting.js';

/** A vocabulary that has lived: a parcel was first sent `to` somebody, then to a `name`, then to a name in a `country`. */
const named = upcaster({ type: 'ParcelSent', from: 1, to: 2, schema: z.strictObject({ to: z.string() }), lift: ({ to }) => ({ name: to }) });
const placed = upcaster({ type: 'ParcelSent', from: 2, to: 3, schema: z.strictObject({ name: z.string() }), lift: ({ name }) => ({ name, country: null }) });
const parcels = (...upcasters: readonly Upcaster[]) => new Upcasting({ types: ['ParcelSent', 'ParcelLost'], changed: { ParcelSent: 3 }, upcasters });

describe('Upcasting', () => {
  it('lifts a fact of any older version to the one of today', () => {
    const upcasting = parcels(named, placed);
    expect(upcasting.lift('ParcelSent', '1', { to: 'ann' })).toEqual({ name: 'ann', country: null });
    expect(upcasting.lift('ParcelSent', '2', { name: 'ann' })).toEqual({ name: 'ann', country: null });
    expect(upcasting.lift('ParcelSent', '3', { name: 'ann', country: 'SE' })).toEqual({ name: 'ann', country: 'SE' });
  });

  it('leaves alone what never changed, and does not change what it was given', () => {
    const upcasting = parcels(named, placed);
    const data = Object.freeze({ to: 'ann' });
    upcasting.lift('ParcelSent', '1', data);
    expect(data).toEqual({ to: 'ann' });
    const lost = { where: 'Gävle' };
    expect(upcasting.lift('ParcelLost', '1', lost)).toBe(lost);
    expect([upcasting.versionOf('ParcelSent'), upcasting.versionOf('ParcelLost')]).toEqual([3, 1]);
  });

  it('takes a step over several versions, as long as those between lead on as well', () => {
    const leap: Upcaster = { type: 'ParcelSent', from: 1, to: 3, lift: () => 'leapt' };
    expect(parcels(leap, placed).lift('ParcelSent', '1', {})).toBe('leapt');
    expect(() => parcels(leap)).toThrow('ParcelSent has a hole: nothing leads on from version 2.');
  });

  it('refuses a fact that is not what its version says', () => {
    expect(() => parcels(named, placed).lift('ParcelSent', '1', { name: 'ann' })).toThrow(z.ZodError);
  });

  it('refuses a newer version by an error of its own', () => {
    const newer = (): unknown => parcels(named, placed).lift('ParcelSent', '4', {});
    expect(newer).toThrow(NewerFact);
    expect(newer).toThrow(expect.objectContaining({ factType: 'ParcelSent', version: 4, known: 3 }));
    expect(() => parcels(named, placed).lift('ParcelLost', '2', {})).toThrow(NewerFact);
  });

  it.each([undefined, '', '0', '-1', '1.0', '01', 'two', '1e1', ' 1'])('refuses %p, which is no version', (version) => {
    const lift = (): unknown => parcels(named, placed).lift('ParcelSent', version, {});
    expect(lift).toThrow('A ParcelSent says that its version is');
    expect(lift).not.toThrow(NewerFact);
  });

  it('is not made with a hole', () => {
    expect(() => parcels(placed)).toThrow('ParcelSent has a hole: nothing leads on from version 1.');
    expect(() => parcels(named)).toThrow(/hole.* version 2\..*hole.* version 2\./);
  });

  it('is not made with a cycle', () => {
    const back: Upcaster = { type: 'ParcelSent', from: 2, to: 1, lift: (data) => data };
    expect(() => parcels(named, back)).toThrow('ParcelSent goes round in a cycle from version 1.');
    const still: Upcaster = { type: 'ParcelSent', from: 2, to: 2, lift: (data) => data };
    expect(() => parcels(named, still)).toThrow('ParcelSent goes round in a cycle from version 2.');
  });

  it('is not made with a step that leads past today, from today, or stands there twice', () => {
    const step = (from: number, to: number): Upcaster => ({ type: 'ParcelSent', from, to, lift: (data) => data });
    expect(() => parcels(named, placed, step(3, 4))).toThrow('ParcelSent is at version 3 and has no step from 3 to 4.');
    expect(() => parcels(named, placed, step(3, 1))).toThrow('has no step from 3 to 1.');
    expect(() => parcels(named, placed, step(0, 1))).toThrow('has no step from 0 to 1.');
    expect(() => parcels(named, placed, step(2, 3))).toThrow('ParcelSent has two steps from version 2.');
    expect(() => parcels(named, placed, { ...step(1, 2), type: 'ParcelFound' })).toThrow('ParcelFound is at version 0');
  });
});

describe('The codecs', () => {
  const orphaned = { batchId: 'b', name: 'nightly' };

  it('decode a stored fact by its version, and give it the place and the actor of its envelope', () => {
    const stored = { type: 'CancelRequested', data: { by: 'olga', reason: null }, revision: 7, metadata: { schemaVersion: '1', actor: 'olga' } };
    expect(storedRunFact(stored)).toEqual({ type: 'CancelRequested', data: { by: 'olga', reason: null }, revision: 7, actor: 'olga' });
    expect(storedBatchFact({ type: 'BatchOrphaned', data: orphaned, revision: 1, metadata: { schemaVersion: '1' } })).toEqual({ type: 'BatchOrphaned', data: orphaned, revision: 1 });
  });

  it('yield to a newer version', () => {
    expect(() => storedRunFact({ type: 'CancelRequested', data: {}, revision: 7, metadata: { schemaVersion: '2' } })).toThrow(NewerFact);
    expect(() => storedBatchFact({ type: 'BatchOrphaned', data: {}, revision: 7, metadata: { schemaVersion: '2' } })).toThrow(NewerFact);
  });

  it('refuse a type that they do not know, also one that every object has', () => {
    for (const type of ['BatchOrphaned', 'toString']) {
      expect(() => storedRunFact({ type, data: orphaned, revision: 3, metadata: { schemaVersion: '1' } })).toThrow(`Fact 3 is a ${type}, which no run knows.`);
    }
    expect(() => storedBatchFact({ type: 'RunCompleted', data: {}, revision: 3, metadata: { schemaVersion: '1' } })).toThrow('which no batch knows');
  });

  it('refuse data that are not what the type says', () => {
    expect(() => storedRunFact({ type: 'CancelRequested', data: { by: 'olga' }, revision: 7, metadata: { schemaVersion: '1' } })).toThrow(z.ZodError);
  });
});

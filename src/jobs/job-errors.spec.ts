import { describe, expect, it } from '@jest/globals';
import { MAX_DURATION_MS } from '../events/duration.js';
import { errorSchema } from '../events/run.events.js';
import { jobFailureOf, RetryableError, TerminalError } from './job-errors.js';

function refuse(): never {
  throw new Error('no');
}

describe('jobFailureOf', () => {
  it('says that a TerminalError is not to be tried again', () => {
    expect(jobFailureOf(new TerminalError('no such account', { code: 'bad-account' }))).toEqual({
      error: { kind: 'terminal', code: 'bad-account', message: 'no such account', retryable: false },
    });
  });

  it('takes the delay that a RetryableError asks for', () => {
    expect(jobFailureOf(new RetryableError('closed', { code: 'closed', retryAfter: '15m' }))).toEqual({
      error: { kind: 'error', code: 'closed', message: 'closed', retryable: true },
      retryAfterMs: 900_000,
    });
    expect(jobFailureOf(new RetryableError('again'))).toEqual({
      error: { kind: 'error', code: 'retryable', message: 'again', retryable: true },
    });
  });

  it('refuses a delay that is no duration where it is written', () => {
    expect(() => new RetryableError('closed', { retryAfter: 'soon' })).toThrow(RangeError);
  });

  it.each([
    [Number.NaN, undefined],
    [-1, undefined],
    ['1m', undefined],
    [1.6, 2],
    [Infinity, MAX_DURATION_MS],
    [9e15, MAX_DURATION_MS],
  ])('takes a delay of %p, asked for by no class of ours, as %p', (asked, taken) => {
    const foreign = Object.assign(new Error('later'), { [Symbol.for('sluice.job-error')]: 'retryable', retryAfterMs: asked });
    expect(jobFailureOf(foreign).retryAfterMs).toBe(taken);
  });

  it('keeps the code of a system error and the name of any other', () => {
    const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    expect(jobFailureOf(missing).error).toMatchObject({ kind: 'error', code: 'ENOENT', retryable: true });
    expect(jobFailureOf(new TypeError('x is undefined')).error).toMatchObject({ code: 'TypeError', message: 'x is undefined' });
  });

  it('knows the errors of another loaded copy of the package', () => {
    const foreign = Object.assign(new Error('from elsewhere'), { [Symbol.for('sluice.job-error')]: 'terminal', code: 'x' });
    expect(foreign).not.toBeInstanceOf(TerminalError);
    expect(jobFailureOf(foreign).error).toMatchObject({ kind: 'terminal', retryable: false });
  });

  it.each([
    ['a text', 'out of paper', { code: 'thrown', message: 'out of paper' }],
    ['nothing', undefined, { code: 'thrown', message: 'The job threw something that is not an error.' }],
    ['an object', { message: 'half an error' }, { code: 'thrown', message: 'half an error' }],
    ['an error without words', new RangeError(), { code: 'RangeError', message: 'RangeError' }],
    ['an error whose name is a number', Object.assign(new Error('named 7'), { name: 7 }), { code: 'Error', message: 'named 7' }],
    ['an object that can not be looked at', { get message(): string { throw new Error('no'); } }, { code: 'thrown', message: 'The job threw something that is not an error.' }],
    ['a proxy that throws', new Proxy(new Error('hidden'), { get: refuse, getPrototypeOf: refuse }), { code: 'thrown', message: 'The job threw something that is not an error.' }],
    ['text that stores refuse', new Error('a\0b\uD800c'), { code: 'Error', message: 'a\uFFFDb\uFFFDc' }],
  ])('makes a storable error of %s', (_what, thrown, expected) => {
    const { error } = jobFailureOf(thrown);
    expect(errorSchema.parse(error)).toMatchObject({ kind: 'error', retryable: true, ...expected });
  });

  it('cuts a message that is too long, without leaving half a character', () => {
    const { message } = jobFailureOf(new Error(`${'x'.repeat(3_999)}😀 and more`)).error;
    expect(message).toHaveLength(4_000);
    expect(message.isWellFormed()).toBe(true);
  });

  it('keeps the cause for those who log the error', () => {
    const cause = new Error('socket closed');
    expect(new TerminalError('no', { cause }).cause).toBe(cause);
    expect('cause' in new TerminalError('no')).toBe(false);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { runUpcasting } from '../../src/events/run.events.js';
import { stateMachines } from './state-machines.js';

const text = stateMachines();
const PAGE = new URL('../../docs/state-machines.md', import.meta.url);

describe('The page of the state machines', () => {
  it('is as the machine is: npm run docs:machines writes it anew', () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(text);
  });

  it('is made the same way each time', () => {
    expect(stateMachines()).toBe(text);
  });

  it('has for every fact of a run the state that takes it, and its fields', () => {
    const rows = text.split('\n').filter((line) => /^\| \w+ \|.*(·|→ \w+)/.test(line)).map((line) => line.split(' ')[1]);
    expect(rows).toEqual(runUpcasting.types);
    const headings = text.split('\n').filter((line) => line.startsWith('### '));
    for (const type of runUpcasting.types) expect(headings).toContain(`### ${type} (version ${runUpcasting.versionOf(type)})`);
  });

  it('knows what a step may do and what it may not', () => {
    expect(text).toContain('running --> parked: only people are waited for');
    expect(text).toContain('running --> retrying: StepLost, tried again');
    expect(text).toContain('waiting --> cancelled: GateReleased');
    expect(text).not.toMatch(/(succeeded|completed) --> \w/);
    expect(text).not.toMatch(/pending --> (running|succeeded): (?!StepKept)/);
  });
});

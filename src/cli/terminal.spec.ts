import { describe, expect, it } from '@jest/globals';
import { cleaned, cleanText, processTerminal, safeJson, statusWord, type Terminal } from './terminal.js';

function terminal(env: Readonly<Record<string, string>>, stdout: { readonly isTTY?: boolean; readonly columns?: number } = { isTTY: true, columns: 80 }): Terminal {
  const write = (): boolean => true;
  return processTerminal(env, { stdout: { ...stdout, write }, stderr: { write } });
}

describe('A terminal', () => {
  it('has a width and colours only where somebody looks', () => {
    expect(terminal({})).toMatchObject({ width: 80, colour: true });
    expect(terminal({}, {})).toMatchObject({ width: undefined, colour: false });
  });

  it('has no colours where they are not wanted', () => {
    expect(terminal({ NO_COLOR: '1' }).colour).toBe(false);
    expect(terminal({ TERM: 'dumb' }).colour).toBe(false);
    expect(terminal({ NO_COLOR: '' }).colour).toBe(true);
  });

  it('colours no word that it does not know', () => {
    expect(statusWord({ colour: true }, 'failed')).toBe('\u001b[31mfailed\u001b[39m');
    expect(statusWord({ colour: true }, 'constructor')).toBe('constructor');
  });
});

describe('Texts of others', () => {
  it('become one line without a control character', () => {
    expect(cleanText('a\u0000b\u001b[2J\u007f\u009b\u202ec\r\nd\t\te\u2028f')).toBe('a\ufffdb\ufffd[2J\ufffd\ufffd\ufffdc d e f');
  });

  it('keep what scripts and emoji need', () => {
    const text = 'żółć 日本 👩‍🔬 می‌خواهم';
    expect(cleanText(text)).toBe(text);
  });

  it('are cleaned wherever they stand in an answer', () => {
    expect(cleaned({ 'a\u001b': ['\u0007', 1, null, { b: '\n' }] })).toEqual({ 'a\ufffd': ['\ufffd', 1, null, { b: ' ' }] });
  });

  it('reach programs whole, and no terminal on the way', () => {
    const value = { 'k\u202e': 'a\u001b\u007f\u009b\u2066\n"\\' };
    for (const text of [safeJson(value), safeJson(value, 2)]) {
      expect(JSON.parse(text)).toEqual(value);
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e\u2066]/u);
    }
  });
});

/** Arguments into values: what commander is given to read them with. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { Misused } from './failures.js';

export const MAX_LIMIT = 500;

/** `k=v`, collected; values are text. */
export function named(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  // Not by assignment: `__proto__` is a name like any other.
  return Object.fromEntries([...Object.entries(before), pair(text)]);
}

export function limit(text: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_LIMIT) throw new InvalidArgumentError(`It is a whole number from 1 to ${MAX_LIMIT}.`);
  return number;
}

/** One of the words, collected. */
export function oneOf(words: readonly string[]): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => {
    if (!words.includes(text)) throw new InvalidArgumentError(`It is one of ${words.join(', ')}.`);
    return [...before, text];
  };
}

export function filled(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must say something.');
  return text;
}

/** The JSON in a file. @throws Misused */
export function jsonFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Misused(`${file} can not be read: ${error instanceof Error ? error.message : 'unknown'}.`);
  }
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new Misused(`${file} is no valid JSON: ${error instanceof Error ? error.message : 'unknown'}.`);
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pair(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is written name=value.');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** What somebody writes into a form, as the parameters of a run: by the kinds that the definition declares. */
import type { Json, ParameterDeclaration } from '../api/shapes';

export type Written = Readonly<Record<string, string>>;

export function written(parameters: readonly ParameterDeclaration[]): Written {
  return Object.fromEntries(parameters.map(({ name, default: value }) => [name, value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)]));
}

export interface Read {
  readonly values: Readonly<Record<string, Json>>;
  /** What can not be sent at all; everything else is judged by the server. */
  readonly faults: ReadonlyMap<string, string>;
}

export function read(parameters: readonly ParameterDeclaration[], said: Written): Read {
  const values = new Map<string, Json>();
  const faults = new Map<string, string>();
  for (const { name, kind } of parameters) {
    const text = said[name] ?? '';
    if (text === '') continue;
    try {
      values.set(name, valueOf(kind, text));
    } catch {
      faults.set(name, kind === 'object' ? 'This is no JSON object.' : kind === 'datetime' ? 'This is no time.' : 'This is no number.');
    }
  }
  // A parameter may be called like something of every object.
  return { values: Object.fromEntries(values), faults };
}

function valueOf(kind: ParameterDeclaration['kind'], text: string): Json {
  if (kind === 'boolean') return text === 'true';
  if (kind === 'secret') return { $secret: text };
  if (kind === 'datetime') return /[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : new Date(text).toISOString();
  if (kind === 'object') return JSON.parse(text) as Json;
  if (kind !== 'integer' && kind !== 'number') return text;
  const number = Number(text);
  if (Number.isNaN(number)) throw new TypeError(text);
  return number;
}

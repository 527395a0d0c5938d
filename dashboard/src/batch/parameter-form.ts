/** What somebody writes into a form, as the parameters of a run: by the kinds that the definition declares. */
import type { Json, ParameterDeclaration } from '../api/shapes';

export type Written = Readonly<Record<string, string>>;

export function written(parameters: readonly ParameterDeclaration[]): Written {
  return Object.fromEntries(parameters.map(({ name, default: value }) => [name, value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)]));
}

export interface Read {
  readonly values: Readonly<Record<string, Json>>;
  /** What can not be sent at all; everything else is judged by the server. */
  readonly faults: Readonly<Record<string, string>>;
}

export function read(parameters: readonly ParameterDeclaration[], said: Written): Read {
  const values: Record<string, Json> = {};
  const faults: Record<string, string> = {};
  for (const { name, kind } of parameters) {
    const text = said[name] ?? '';
    if (text === '') continue;
    try {
      values[name] = valueOf(kind, text);
    } catch {
      faults[name] = kind === 'object' ? 'This is no JSON object.' : 'This is no number.';
    }
  }
  return { values, faults };
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

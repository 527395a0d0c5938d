/** The parameters of a run from a file and from `-p`: a text becomes what the batch declares it to be. */
import { batchParameters } from './answers.js';
import { door } from './client.js';
import type { Session } from './context.js';
import { Misused, Refused } from './failures.js';
import { isObject, jsonFile } from './parsing.js';

type Parameters = Readonly<Record<string, unknown>>;

/** Kinds whose values are texts, whatever they look like. */
const TEXTS = new Set(['string', 'datetime']);

export interface GivenParameters {
  readonly file: string | undefined;
  /** Those of `-p`; they win over the file. */
  readonly texts: Readonly<Record<string, string>> | undefined;
}

/** @throws Misused */
export async function parametersFor(session: Session, batch: string, { file, texts }: GivenParameters): Promise<Parameters> {
  const fromFile = file === undefined ? {} : parametersIn(file);
  if (texts === undefined) return fromFile;
  const kinds = await kindsOf(session, batch);
  // From entries: `__proto__` is a name like any other.
  return Object.fromEntries([...Object.entries(fromFile), ...Object.entries(texts).map(([name, text]) => [name, TEXTS.has(kinds.get(name) ?? '') ? text : jsonOrText(name, text)] as const)]);
}

/** Empty where they can not be read: what is wrong with the batch is said by the door that starts it. */
async function kindsOf({ client }: Session, batch: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { body } = await client.get(door('batches', batch), batchParameters);
    return new Map((body.definition.parameters ?? []).map(({ name, kind }) => [name, kind]));
  } catch (error) {
    if (error instanceof Refused) return new Map();
    throw error;
  }
}

function parametersIn(file: string): Parameters {
  const content = jsonFile(file);
  if (!isObject(content)) throw new Misused(`${file} holds no parameters: it must be a JSON object.`);
  return content;
}

function jsonOrText(name: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new Misused(`-p ${name}: the number can not be kept exactly; write "${text}" in double quotes to send it as text.`);
  }
  return value;
}

/**
 * `docs/state-machines.md` as text, made from the machine, its probed steps and the schemas of the vocabularies.
 * The same sources give the same text, on every machine and at any time.
 */
import { z } from 'zod';
import { batchFactSchemas, batchUpcasting } from '../../src/events/batch.events.js';
import { runFactSchemas, runUpcasting } from '../../src/events/run.events.js';
import { RUN_MACHINE, runMachine } from '../../src/runs/run.machine.js';
import { fieldsOf } from './fact-fields.js';
import { stepMoves } from './step-moves.js';
import type { StepMove } from './step-moves.js';

const VOCABULARIES = [
  { title: 'Facts of a run', schemas: runFactSchemas, upcasting: runUpcasting },
  { title: 'Facts of a batch definition', schemas: batchFactSchemas, upcasting: batchUpcasting },
];

interface Move {
  readonly from: string;
  /** Empty: the fact is taken, the state stays. */
  readonly to: string;
  /** A fact's type, or what is looked at after each fact. */
  readonly on: string;
}

export function stateMachines(): string {
  const { facts, looks } = lifecycle();
  return [
    '# State machines',
    '',
    'Made from the sources by `npm run docs:machines`; a test fails when it is stale. Do not edit it.',
    '',
    `## The lifecycle of a run (\`${RUN_MACHINE}\`)`,
    '',
    'Facts that leave the state as it is stand in the table below. A move without a fact is made after any fact, as soon as',
    'what it says is true.',
    '',
    ...diagram([...facts.filter(({ to }) => to !== ''), ...looks], ['triggered'], finals()),
    '',
    ...table(['Fact', ...states()], [...new Set(facts.map(({ on }) => on))].map((fact) => [fact, ...states().map((state) => targetOf(facts, state, fact))])),
    '',
    '`·` the fact is taken and the state stays · `→ state` it moves there · empty: the fact is refused before it is appended,',
    'and a stream that holds one does not fold.',
    '',
    ...steps('job', 'The status of a job step'),
    ...steps('gate', 'The status of a gate'),
    ...VOCABULARIES.flatMap(({ title, schemas, upcasting }) => [
      `## ${title}`,
      '',
      ...Object.entries(schemas).flatMap(([type, schema]) => [`### ${type} (version ${upcasting.versionOf(type)})`, '', ...fields(schema), '']),
    ]),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function states(): readonly string[] {
  return Object.keys(runMachine.states);
}

function finals(): readonly string[] {
  return Object.values(runMachine.states).flatMap(({ type, key }) => (type === 'final' ? [key] : []));
}

function lifecycle(): { readonly facts: readonly Move[]; readonly looks: readonly Move[] } {
  const facts: Move[] = [];
  const looks: Move[] = [];
  for (const state of Object.values(runMachine.states)) {
    for (const [on, transitions] of state.transitions) for (const { target } of transitions) facts.push({ from: state.key, to: target?.[0]?.key ?? '', on });
    for (const { target, guard } of state.always ?? []) looks.push({ from: state.key, to: target?.[0]?.key ?? '', on: typeof guard === 'string' ? inWords(guard) : 'always' });
  }
  const order = Object.keys(runFactSchemas);
  return { facts: facts.sort((a, b) => order.indexOf(a.on) - order.indexOf(b.on)), looks };
}

function targetOf(facts: readonly Move[], state: string, fact: string): string {
  const move = facts.find(({ from, on }) => from === state && on === fact);
  if (move === undefined) return '';
  return move.to === '' ? '·' : `→ ${move.to}`;
}

function steps(kind: 'job' | 'gate', title: string): readonly string[] {
  const moves = stepMoves(kind);
  const left = new Set(moves.map(({ from }) => from));
  const ends = [...new Set(moves.map(({ to }) => to))].filter((status) => !left.has(status));
  const label = ({ on, when }: StepMove): string => (when === '' ? on : `${on}, ${when}`);
  return [
    `## ${title}`,
    '',
    ...diagram(moves.filter(({ from, to }) => from !== to).map((move) => ({ ...move, on: label(move) })), ['pending'], ends),
    '',
    ...table(['Fact', 'Before', 'After', 'When'], moves.map(({ on, from, to, when }) => [on, from, to, when])),
    '',
  ];
}

function diagram(moves: readonly Move[], begins: readonly string[], ends: readonly string[]): readonly string[] {
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...begins.map((state) => `  [*] --> ${state}`),
    ...moves.map(({ from, to, on }) => `  ${from} --> ${to}: ${on}`),
    ...ends.map((state) => `  ${state} --> [*]`),
    '```',
  ];
}

function fields(schema: z.ZodType): readonly string[] {
  const rows = fieldsOf(z.toJSONSchema(schema, { unrepresentable: 'any', reused: 'inline' }));
  return rows.length === 0 ? ['No fields.'] : table(['Field', 'What it holds'], rows.map(({ name, optional, holds }) => [`\`${name}\`${optional ? ' (optional)' : ''}`, holds]));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function inWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

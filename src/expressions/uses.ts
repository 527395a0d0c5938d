/** Reads the tree of an expression: what it names, whether it loops, and what is refused whatever the values are. */
import type { ASTNode } from '@marcbachmann/cel-js';
import { FIXED_FIELDS, ROOTS } from './scope.js';
import type { Fault, Root, Use } from './scope.js';

export interface Reading {
  readonly uses: readonly Use[];
  /** True if a macro runs part of it once per element: its time depends on the data. */
  readonly loops: boolean;
  readonly faults: readonly Fault[];
}

/** Macros that name a variable by their first argument. */
const BINDING_MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind']);
/** The evaluator drops them from maps without a word. */
const LOST_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

export function readExpression(ast: ASTNode): Reading {
  const reader = new ExpressionReader();
  reader.visit(ast);
  const { uses, loops, faults } = reader;
  return { uses, loops, faults };
}

class ExpressionReader {
  readonly uses: Use[] = [];
  readonly faults: Fault[] = [];
  loops = false;

  visit(node: ASTNode): void {
    switch (node.op) {
      case 'value':
        return;
      case 'id':
        return this.identifier(node.args, node.start);
      case '.':
      case '.?':
        return this.field(node.args[0], node.args[1]);
      case '[]':
      case '[?]':
        return this.index(node.args[0], node.args[1]);
      case 'in':
        return this.membership(node.args[0], node.args[1]);
      case 'call':
        return this.call(node, node.args[0], node.args[1]);
      case 'rcall':
        this.visitReceiver(node.args[0], node.args[1]);
        return this.call(node, node.args[0], node.args[2]);
      case 'map':
        return this.mapLiteral(node.args);
      case 'list':
        return node.args.forEach((item) => this.visit(item));
      case '!_':
      case '-_':
        return this.visit(node.args);
      default:
        return node.args.forEach((operand) => this.visit(operand));
    }
  }

  /** As a whole none of them says what it will look at, so that could not be checked before. */
  private identifier(name: string, at: number): void {
    if (isRoot(name)) this.refuse(`Say what of ${name} you mean: ${name}.name or ${name}["the-name"].`, at);
  }

  private field(left: ASTNode, name: string): void {
    if (left.op === 'id' && isRoot(left.args)) return this.use(left.args, name, left.start);
    this.visit(left);
  }

  private index(left: ASTNode, index: ASTNode): void {
    if (left.op === 'id' && isRoot(left.args) && index.op === 'value' && typeof index.args === 'string') {
      return this.use(left.args, index.args, left.start);
    }
    this.visit(left);
    this.visit(index);
  }

  /** `"step-id" in outputs` asks whether a step has outputs; `has()` can't say it of ids with a hyphen. */
  private membership(left: ASTNode, right: ASTNode): void {
    if (right.op === 'id' && isRoot(right.args) && left.op === 'value' && typeof left.args === 'string') {
      return this.use(right.args, left.args, right.start);
    }
    this.visit(left);
    this.visit(right);
  }

  private visitReceiver(method: string, receiver: ASTNode): void {
    if (!(method === 'bind' && receiver.op === 'id' && receiver.args === 'cel')) this.visit(receiver);
  }

  private call(node: ASTNode, name: string, args: readonly ASTNode[]): void {
    if (name === 'matches') this.refuse('matches() is not available, because its patterns can take for ever. Use contains(), startsWith() or endsWith().', node.start);
    const [variable, ...rest] = args;
    if (!(node.op === 'rcall' && BINDING_MACROS.has(name) && variable?.op === 'id')) return args.forEach((arg) => this.visit(arg));
    this.loops = true;
    if (isRoot(variable.args)) this.refuse(`${variable.args} has a meaning of its own: give the variable of ${name}() another name.`, variable.start);
    rest.forEach((arg) => this.visit(arg));
  }

  private mapLiteral(entries: readonly (readonly [ASTNode, ASTNode])[]): void {
    for (const [key, value] of entries) {
      if (key.op === 'value' && typeof key.args === 'string' && LOST_KEYS.has(key.args)) this.refuse(`"${key.args}" can't be a key of a map.`, key.start);
      this.visit(key);
      this.visit(value);
    }
  }

  private use(root: Root, name: string, at: number): void {
    const fields = FIXED_FIELDS[root];
    if (fields !== undefined && !fields.includes(name)) {
      return this.refuse(`${root} has no "${name}", only ${fields.join(', ')}.`, at);
    }
    this.uses.push({ root, name, at });
  }

  private refuse(fault: string, at: number): void {
    this.faults.push({ fault, at });
  }
}

function isRoot(name: string): name is Root {
  return ROOTS.some((root) => root === name);
}

/** Where things stand in a JSON text: the place of a pointer, and the path of a place. */
import { ensureSyntaxTree, syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';
import type { SyntaxNode } from '@lezer/common';

const VALUES = ['Object', 'Array', 'String', 'Number', 'True', 'False', 'Null'];
/** Read to its end, as far as half a second goes: what was parsed when the text was last drawn may be a part of it. */
const treeOf = (state: EditorState): ReturnType<typeof syntaxTree> => ensureSyntaxTree(state, state.doc.length, 500) ?? syntaxTree(state);
const unquoted = (state: EditorState, node: SyntaxNode): string => {
  const text = state.sliceDoc(node.from, node.to);
  try {
    return String(JSON.parse(text));
  } catch {
    return text.replaceAll('"', '');
  }
};
const valuesIn = (node: SyntaxNode): SyntaxNode[] => {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) if (VALUES.includes(child.name)) found.push(child);
  return found;
};

/** The value that a JSON Pointer names, or the nearest that is there. */
export function placeOf(state: EditorState, pointer: string): { readonly from: number; readonly to: number } {
  let node = valuesIn(treeOf(state).topNode)[0];
  let place = node === undefined ? { from: 0, to: 0 } : { from: node.from, to: Math.min(node.to, node.from + 1) };
  for (const part of pointer.split('/').slice(1).map((one) => one.replaceAll('~1', '/').replaceAll('~0', '~'))) {
    if (node === undefined) break;
    if (node.name === 'Array') {
      node = valuesIn(node)[Number(part)];
    } else {
      const property: SyntaxNode | undefined = node.getChildren('Property').find((one) => one.firstChild !== null && unquoted(state, one.firstChild) === part);
      if (property === undefined) break;
      place = { from: property.from, to: property.firstChild?.to ?? property.to };
      node = valuesIn(property)[0];
      continue;
    }
    if (node !== undefined) place = { from: node.from, to: node.name === 'Object' || node.name === 'Array' ? node.from + 1 : node.to };
  }
  return place;
}

export interface Around {
  /** From the root to the object or the value at the place. */
  readonly path: readonly (string | number)[];
  /** Whether a name of a property is being written, and which are there already. */
  readonly naming: readonly string[] | undefined;
}

export function around(state: EditorState, at: number): Around {
  let node: SyntaxNode | null = treeOf(state).resolveInner(at, -1);
  const path: (string | number)[] = [];
  let naming: readonly string[] | undefined;
  const isName = node.name === 'PropertyName' || node.name === 'Object' || node.name === '{';
  const object = isName ? (node.name === 'Object' ? node : node.name === '{' ? node.parent : node.parent?.parent) : undefined;
  if (object?.name === 'Object') {
    naming = object.getChildren('Property').flatMap((one) => (one.firstChild === null || one.firstChild === node ? [] : [unquoted(state, one.firstChild)]));
    node = object;
  }
  for (let current: SyntaxNode | null = node; current !== null; current = current.parent) {
    const parent: SyntaxNode | null = current.parent;
    if (parent?.name === 'Array') path.unshift(Math.max(0, valuesIn(parent).findIndex((value) => value.from === current?.from)));
    else if (parent?.name === 'Property' && parent.firstChild !== null && current !== parent.firstChild) path.unshift(unquoted(state, parent.firstChild));
    else if (current.name === 'Property' && current === node && current.firstChild !== null) path.unshift(unquoted(state, current.firstChild));
  }
  return { path, naming };
}

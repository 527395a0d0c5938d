/** The editor of a definition: JSON with completion by its schema, and the server's faults where they are. Loaded when needed. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, linter, setDiagnostics } from '@codemirror/lint';
import type { Diagnostic } from '@codemirror/lint';
import { MergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import type { Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useImperativeHandle, useRef } from 'react';
import type { Ref } from 'react';
import schema from '../api/definition.schema.json';
import type { Fault } from '../api/shapes';
import { placeOf } from './json-places';
import { schemaCompletion } from './schema-completion';

const LOOK = EditorView.theme({
  '&': { backgroundColor: 'var(--panel)', color: 'var(--ink)' },
  '.cm-content': { fontFamily: 'var(--mantine-font-family-monospace)', caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--sunk)', color: 'var(--ink-2)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground, ::selection': { backgroundColor: 'var(--run-soft) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--ink)', border: '1px solid var(--line-strong)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--run-soft)', color: 'var(--ink)' },
  '.cm-completionDetail': { color: 'var(--ink-2)', fontStyle: 'normal' },
});
const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: 'light-dark(#145f6d, #79bcc5)' }, { tag: tags.string, color: 'light-dark(#1a6b3a, #8fd6aa)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'light-dark(#8a4b00, #e8b86b)' },
]);

const COMMON: Extension = [lineNumbers(), json(), syntaxHighlighting(COLOURS), LOOK, EditorView.lineWrapping];
const WRITING: Extension = [
  COMMON, foldGutter(), history(), indentOnInput(), bracketMatching(), closeBrackets(), autocompletion({ override: [schemaCompletion(schema)] }), lintGutter(),
  linter(jsonParseLinter()), keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, indentWithTab]),
];

export interface EditorHandle {
  /** Goes to where a fault is. */
  readonly show: (pointer: string) => void;
  readonly replace: (text: string) => void;
}

interface Props {
  readonly text: string;
  readonly change: (text: string) => void;
  readonly faults: readonly (Fault & { readonly severity: 'error' | 'warning' })[];
  readonly handle: Ref<EditorHandle>;
}

export default function JsonEditor({ text, change, faults, handle }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const first = useRef(text);
  const told = useRef(change);
  useEffect(() => {
    told.current = change;
  }, [change]);
  useEffect(() => {
    if (host.current === null) return undefined;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          WRITING, EditorView.contentAttributes.of({ 'aria-label': 'Definition as JSON' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) told.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || faults.length === 0) return;
    const diagnostics = faults.map(({ path, message, severity }): Diagnostic => ({ ...placeOf(editor.state, path), message, severity }));
    editor.dispatch(setDiagnostics(editor.state, diagnostics.sort((one, other) => one.from - other.from)));
  }, [faults]);
  useImperativeHandle(handle, () => ({
    show: (pointer) => {
      const editor = view.current;
      if (editor === undefined) return;
      const { from, to } = placeOf(editor.state, pointer);
      editor.dispatch({ selection: { anchor: from, head: to }, scrollIntoView: true });
      editor.focus();
    },
    replace: (next) => view.current?.dispatch({ changes: { from: 0, to: view.current.state.doc.length, insert: next } }),
  }), []);
  return <div className="cm-host" ref={host} data-testid="editor" />;
}

/** Two versions side by side, with what differs. */
export function BothSides({ theirs, mine }: { readonly theirs: string; readonly mine: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null) return undefined;
    const side = (doc: string, label: string) => ({ doc, extensions: [COMMON, EditorState.readOnly.of(true), EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' })] });
    const made = new MergeView({ parent: host.current, a: side(theirs, 'The saved version'), b: side(mine, 'Your version'), collapseUnchanged: { margin: 3 } });
    return () => made.destroy();
  }, [theirs, mine]);
  return <div className="cm-host" ref={host} style={{ maxHeight: '60vh', overflow: 'auto' }} data-testid="both-sides" />;
}

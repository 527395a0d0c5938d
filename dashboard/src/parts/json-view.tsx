/** JSON as text with colours; made of elements, so that nothing in the data can become markup. */
import { Fragment } from 'react';
import type { ReactNode } from 'react';
import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import type { Json } from '../api/shapes';
import { Icon } from './icon';

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;
/** More than this is shown without colours. */
const MOST_COLOURED = 40_000;

export function coloured(text: string): ReactNode[] {
  if (text.length > MOST_COLOURED) return [text];
  const parts: ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > at) parts.push(text.slice(at, match.index));
    const [whole, string, colon] = match;
    const kind = string === undefined ? 'n' : colon === undefined ? 's' : 'k';
    parts.push(
      <Fragment key={match.index}>
        <span className={kind}>{string ?? whole}</span>
        {colon}
      </Fragment>,
    );
    at = match.index + whole.length;
  }
  parts.push(text.slice(at));
  return parts;
}

/** Characters that turn the order of what stands beside them, shown instead of done: what one reads is what is there. */
export const visible = (text: string): string => text.replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g, (mark) => `\u27e8U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}\u27e9`);

export function JsonView({ value, label }: { readonly value: Json; readonly label: string }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <div style={{ position: 'relative' }}>
      <div style={{ position: 'absolute', right: 6, top: 6 }}>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? 'Copied' : 'Copy'}>
              <ActionIcon onClick={copy} size="sm" aria-label={`Copy ${label}`}>
                <Icon name={copied ? 'check' : 'copy'} size={14} />
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      </div>
      {/* Scrolls, so that a keyboard must reach it. */}
      <pre className="json" tabIndex={0} aria-label={label}>
        {coloured(visible(text))}
      </pre>
    </div>
  );
}

export const isEmptyJson = (value: Json): boolean => value === null || (typeof value === 'object' && Object.keys(value).length === 0);

/** Server-sent events out of the bytes of an answer, as the HTML standard reads them. */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  /** Where to resume after it: the last id that was sent, with this message or an earlier one. */
  readonly id: string | undefined;
}

/** Whole messages only: what is cut off at the end is none. `beat` is called for every piece that arrives, comments too. */
export async function* serverEvents(bytes: AsyncIterable<Uint8Array>, beat: () => void = () => undefined): AsyncGenerator<ServerEvent> {
  let event = '';
  let data: string[] = [];
  let id: string | undefined;
  for await (const line of linesOf(bytes, beat)) {
    if (line === '') {
      if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n'), id };
      event = '';
      data = [];
      continue;
    }
    const [name, value] = fieldOf(line);
    if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
  }
}

function fieldOf(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon === -1) return [line, ''];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value];
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>, beat: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of bytes) {
    beat();
    rest += decoder.decode(piece, { stream: true });
    // A carriage return at the end may be half of a line break.
    const held = rest.endsWith('\r') ? '\r' : '';
    const lines = rest.slice(0, rest.length - held.length).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + held;
    yield* lines;
  }
}

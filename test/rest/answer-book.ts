/** What the OpenAPI document says that each door answers, and whether it does. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';

interface Told {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Told>> }>>>>;
  readonly components?: object;
}

export class AnswerBook {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  private readonly known = new Map<string, ValidateFunction>();
  private readonly doors: readonly { readonly pattern: RegExp; readonly path: string; readonly fixed: number }[];

  constructor(private readonly document: Document) {
    this.ajv.addSchema(document, 'document');
    this.doors = Object.keys(document.paths)
      .map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`), fixed: path.replaceAll(/\{\w+\}/g, '').length }))
      .sort((one, other) => other.fixed - one.fixed);
  }

  /** @throws if the answer is not of the shape that the document gives for this door and status */
  check(method: string, path: string, status: number, body: unknown): void {
    const bare = path.split('?', 1)[0] ?? '';
    const door = this.doors.find(({ pattern, path: name }) => pattern.test(bare) && method.toLowerCase() in (this.document.paths[name] ?? {}));
    if (door === undefined || body === undefined) return;
    const { responses = {} } = this.document.paths[door.path]?.[method.toLowerCase()] ?? {};
    const told = status < 300 ? this.validatorFor(door.path, method.toLowerCase(), responses, String(status)) : this.validatorFor(door.path, method.toLowerCase(), responses, 'default');
    if (told === undefined) {
      if (status < 300) throw new Error(`${method} ${bare} answered with ${status}, of which the document says nothing.`);
      return;
    }
    if (!told(body)) throw new Error(`${method} ${bare} (${status}) is not what the document says: ${this.ajv.errorsText(told.errors)}`);
  }

  private validatorFor(path: string, method: string, responses: Readonly<Record<string, Told>>, status: string): ValidateFunction | undefined {
    const [media] = Object.keys(responses[status]?.content ?? {});
    if (media === undefined) return undefined;
    const pointer = ['paths', path, method, 'responses', status, 'content', media, 'schema'].map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).map(encodeURIComponent).join('/');
    const known = this.known.get(pointer) ?? this.ajv.compile({ $ref: `document#/${pointer}` });
    this.known.set(pointer, known);
    return known;
  }
}
